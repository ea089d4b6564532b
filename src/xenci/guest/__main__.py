"""`xenci-guest`: one request on standard input, one reply on standard output.

    echo '{"operation": "list"}' | xenci-guest [--operator | --reader] [--config FILE]

What a caller asks of SSH itself is never looked at: keys have this program as their forced command.
`--operator` also takes the operations that change what is on the host besides guests, `--reader` takes
`console` only.
"""

from __future__ import annotations

import json
import os
import sys
import syslog
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from xenci.guest import config
from xenci.guest.errors import GuestError
from xenci.guest.request import LAUNCHER, OPERATOR, READER, SIZE_LIMIT, Request, parse

USAGE = __doc__.partition("\n\n")[2]


def main(argv: list[str] | None = None) -> int:
    """Answer one request. Exit status: 0 done, 1 refused or failed (the reply says why), 2 wrong usage."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(USAGE)
        return 0
    caller = LAUNCHER
    for name in (OPERATOR, READER):
        if f"--{name}" in arguments:
            arguments.remove(f"--{name}")
            caller = name
    file = config.FILE
    if len(arguments) == 2 and arguments[0] == "--config":
        file, arguments = Path(arguments[1]), []
    if arguments:
        sys.stderr.write(USAGE)
        return 2
    os.umask(0o077)
    syslog.openlog("xenci-guest")
    reply = answer(sys.stdin.buffer, file, caller)
    try:
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The caller is gone; it asks again, and finds what was done. Python must not try once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if reply["ok"] else 1


def answer(stream: BinaryIO, file: Path, caller: str) -> dict[str, Any]:
    """Return the reply to the request in a stream, whatever that holds."""
    asked = "?"
    try:
        # What an operation imports is not paid for by a request that is refused; dom0 may be slow.
        from xenci.guest.operations import OPERATIONS, SHAPES

        request = parse(stream.read(SIZE_LIMIT + 1), SHAPES, caller)
        asked = describe(request)
        from xenci.guest.host import Host

        result = OPERATIONS[request.operation].call(Host(config.load(file)), request)
    except GuestError as error:
        failure = error
    except Exception as error:  # a fault of this program: the caller gets a reply, the log the rest
        syslog.syslog(syslog.LOG_ERR, traceback.format_exc())
        failure = GuestError("internal", f"{type(error).__name__}: {error}; the host's log has the rest")
    else:
        syslog.syslog(syslog.LOG_INFO, f"{asked}: done")
        return {"ok": True, **result}
    syslog.syslog(syslog.LOG_WARNING, f"{asked}: {failure.code}: {failure.message!a}")
    return {"ok": False, "error": failure.reply()}


def describe(request: Request) -> str:
    """Return what is asked, for the log."""
    return " ".join(
        [request.operation, *(str(request[key]) for key in ("name", "image") if key in request.fields)]
    )


if __name__ == "__main__":
    sys.exit(main())
