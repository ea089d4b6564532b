"""The server that a module speaks to over HTTP: its options, whether they are right, and why it is silent."""

from __future__ import annotations

import os
import ssl
import urllib.parse
from typing import Any

from ansible.module_utils.urls import SSLValidationError


class ServerError(Exception):
    """What went wrong and what to do about it.

    ``status`` is the HTTP status, 0 where no answer came; ``down`` says that the server is not up (yet), or
    that something is broken that it needs, as its database.
    """

    def __init__(self, message: str, status: int = 0, down: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.down = down


def server_spec() -> dict[str, Any]:
    """The options that the modules of every service have; described in the doc fragments."""
    return {
        "url": {"type": "str", "required": True},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout": {"type": "int", "default": 30},
        "use_proxy": {"type": "bool", "default": True},
    }


class Server:
    """A server by its URL; ``options`` are those of ``open_url``."""

    service = "the server"
    error: type[ServerError] = ServerError
    hint = ""
    """Said where nothing listens."""

    def __init__(
        self,
        url: str,
        validate_certs: bool = True,
        ca_path: str | None = None,
        timeout: int = 30,
        use_proxy: bool = True,
    ) -> None:
        if problem := wrong(url, timeout):
            raise self.error(problem)
        self.url = url.rstrip("/")
        self.options: dict[str, Any] = {
            "validate_certs": validate_certs,
            "ca_path": ca_path,
            "timeout": timeout,
            "use_proxy": use_proxy,
        }

    def unreachable(self, error: Exception) -> ServerError:
        """Explain what open_url raised when no HTTP answer came.

        ``down`` is false of what does not pass by waiting: distrust, a wrong port.
        """
        reason = getattr(error, "reason", error)
        ca_path, timeout = self.options["ca_path"], self.options["timeout"]
        if ca_path and not os.path.exists(ca_path):
            return self.error(f"There is no file {ca_path}, which ca_path names.", down=True)
        if isinstance(error, SSLValidationError) or isinstance(reason, ssl.SSLCertVerificationError):
            return self.error(
                f"The TLS certificate of {self.url} is not trusted: {reason}. Give the CA's certificate in "
                "ca_path, and use the name or address in url that the certificate carries."
            )
        if isinstance(reason, ssl.SSLError):
            return self.error(
                f"TLS with {self.url} failed: {reason}. Is that port HTTPS? Try http:// if it is not."
            )
        if isinstance(reason, TimeoutError):
            return self.error(
                f"{self.url} gave no answer within {timeout} s. Is {self.service} up and the port open? "
                "Raise timeout if the server is only slow.",
                down=True,
            )
        return self.error(
            f"{self.url} cannot be reached: {reason}. Is {self.service} running and is url right?{self.hint}",
            down=True,
        )


def wrong(url: str, timeout: int) -> str:
    """What is wrong with the options of a server, and what to give; empty where nothing is."""
    if "@" in url.partition("//")[2].partition("/")[0]:
        return "url must be without a login: a password in it would stand in messages and logs"
    try:
        parts = urllib.parse.urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        named = False
    if not named:
        return f"url must start with https:// or http:// and name a host, not '{url}'"
    if parts.query or parts.fragment:
        return f"url must end with the path of the page, without '?' and '#', not '{url}'"
    if timeout < 1:
        return f"timeout must be 1 second or more, not {timeout}"
    return ""
