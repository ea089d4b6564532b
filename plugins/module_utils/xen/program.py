"""How the xen_* modules speak with `xenci-guest`, the program that does all the work on a Xen host."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# Where role xen_host puts it, if it is not in PATH.
FOLDERS = ["/usr/local/sbin", "/usr/local/bin"]


class XenError(Exception):
    """A refusal or a failure, with the program's code and the other fields of its error."""

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or {}


class Program:
    """The program on this host, as its operator."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.path = module.get_bin_path(module.params["executable"], opt_dirs=FOLDERS)

    @property
    def installed(self) -> bool:
        """Whether the program is there."""
        return self.path is not None

    def ask(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Return the reply to a request. Fields that are None are left out. Raises XenError."""
        if self.path is None:
            raise XenError(
                "not_installed",
                f"{self.module.params['executable']} is not on this host: role xen_host installs it",
            )
        request = {
            "operation": operation,
            **{key: value for key, value in fields.items() if value is not None},
        }
        status, output, errors = self.module.run_command([self.path, "--operator"], data=json.dumps(request))
        try:
            reply = json.loads(output)
            succeeded = reply.pop("ok")
            if not succeeded:
                error = reply["error"]
                details = {key: value for key, value in error.items() if key not in ("code", "message")}
                raise XenError(error["code"], error["message"], details)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = (errors or output).strip()[-500:]
            raise XenError(
                "internal", f"{self.path} ended with status {status} and no reply: {said}"
            ) from error
        result: dict[str, Any] = reply
        return result


def program_spec() -> dict[str, Any]:
    """Options that every xen_* module has."""
    return {"executable": {"type": "str", "default": "xenci-guest"}}
