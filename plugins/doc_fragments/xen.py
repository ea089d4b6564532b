"""Documentation of what every xen_* module shares."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and notes."""

    DOCUMENTATION = r"""
options:
  executable:
    description:
      - The program that does the work, by name or path. Role C(xen_host) installs it.
    type: str
    default: xenci-guest
notes:
  - Runs on the Xen host, as root. The program there, C(xenci-guest), is the one that Zuul's launcher uses
    too; both may work at the same time.
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  diff_mode:
    description: Will tell what changed, or in check mode what would change.
    support: full
"""
