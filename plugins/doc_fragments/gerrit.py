"""Documentation of the options that every gerrit_* module shares."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the connection and attributes of the modules."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of the Gerrit, as its C(gerrit.canonicalWebUrl) says, for example
        V(https://review.example.org).
    type: str
    required: true
  username:
    description:
      - Account to speak as. Everything but reading needs a member of the group C(Administrators).
    type: str
    required: true
  password:
    description:
      - HTTP password (or token) of O(username).
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
notes:
  - Works with Gerrit 3.11 to 3.13 over its REST API; needs nothing on the managed host but Python.
  - Runs on any host that reaches the server; in a play for the review host, C(connection=local) saves the
    way there.
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
