"""Why a server gave no answer, and what to do about it: the same words for every service."""

from __future__ import annotations

import os
import ssl

from ansible.module_utils.urls import SSLValidationError


def unreachable(
    service: str, url: str, error: Exception, ca_path: str | None, timeout: int, hint: str = ""
) -> tuple[str, bool]:
    """Explain what open_url raised when no HTTP answer came.

    Returns the sentence for the user, and whether the server may just not be up (yet): distrust and a wrong
    port don't pass by waiting. ``timeout`` is in seconds; ``hint`` is added where nothing listens.
    """
    reason = getattr(error, "reason", error)
    if ca_path and not os.path.exists(ca_path):
        return f"There is no file {ca_path}, which ca_path names.", True
    if isinstance(error, SSLValidationError) or isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"The TLS certificate of {url} is not trusted: {reason}. Give the CA's certificate in ca_path, "
            "and use the name or address in url that the certificate carries."
        ), False
    if isinstance(reason, ssl.SSLError):
        return f"TLS with {url} failed: {reason}. Is that port HTTPS? Try http:// if it is not.", False
    if isinstance(reason, TimeoutError):
        return (
            f"{url} gave no answer within {timeout} s. Is {service} up and the port open? Raise timeout if "
            "the server is only slow."
        ), True
    return f"{url} cannot be reached: {reason}. Is {service} running and is url right?{hint}", True
