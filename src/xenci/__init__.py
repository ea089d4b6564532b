"""xenci: a third-party CI on real Xen, from one Ansible inventory."""

__version__ = "0.1.0"
