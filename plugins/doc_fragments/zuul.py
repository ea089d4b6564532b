"""Documentation of the options that every zuul_* module shares."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the connection and attributes of the modules."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of Zuul's status page, for example V(https://zuul.example.org).
    type: str
    required: true
  validate_certs:
    description:
      - Whether the server's TLS certificate must be valid. Only turn this off on a machine of your own.
    type: bool
    default: true
  ca_path:
    description:
      - PEM file with the certificate of the CA that signed the server's certificate, where that CA is not one
        that the machine trusts anyway.
    type: path
  timeout:
    description:
      - Seconds to wait for each answer.
    type: int
    default: 30
  use_proxy:
    description:
      - Whether the environment's C(http_proxy), C(https_proxy) and C(no_proxy) count.
    type: bool
    default: true
  must_answer:
    description:
      - Whether a server that does not answer is an error. If not, RV(reachable) tells, and RV(reason) why.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  diff_mode:
    description: Will tell what changed, or in check mode what would change.
    support: none
    details: Nothing ever changes.
notes:
  - Works with Zuul 14 over the REST API of its web server, without a login; needs nothing on the host but
    Python.
"""
