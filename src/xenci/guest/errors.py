"""What can go wrong, each with a code that programs can rely on."""

from __future__ import annotations

# Code: whether the same request may succeed later on this host without anybody doing anything.
CODES = {
    "bad_request": False,
    "not_allowed": False,
    "bad_config": False,
    "bad_state": False,
    "full": True,
    "drained": False,
    "exists": False,
    "no_such_guest": False,
    "no_such_image": False,
    "bad_image": False,
    "image_in_use": True,
    "unsupported_type": False,
    "unsupported": False,
    "storage_full": True,
    "storage_failed": False,
    "xen_failed": False,
    "no_memory": True,
    "died": False,
    "no_ssh": False,
    "deleted": False,
    "internal": False,
}


class GuestError(Exception):
    """A refusal or a failure, as the caller gets it.

    `details` are further fields of the reply's `error`, for example `console`, the end of the guest's log.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def reply(self) -> dict[str, object]:
        """Return the reply's `error`."""
        return {"code": self.code, "message": self.message, "retry": CODES[self.code], **self.details}
