"""Forced command of the upload key, and the timer's command.

    xenci-log-receive receive --root DIR --url BASE
    xenci-log-receive expire --root DIR --days N

`receive` does what SSH_ORIGINAL_COMMAND asks for, `upload PATH`, with a tar stream on standard input. It
prints one line of JSON: {"url": ...} and exit 0, or {"error": ...} and exit 1.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import resource
import signal
import sys
import syslog
import tarfile
import urllib.parse
from pathlib import Path
from types import FrameType

from xenci.log_receive.expire import expire
from xenci.log_receive.receive import MIB, Limits, UploadError, upload

STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM)


def main() -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="xenci-log-receive", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    receiver = commands.add_parser("receive", help="take the upload that SSH_ORIGINAL_COMMAND names")
    receiver.add_argument("--url", required=True, help="public address of the root, with / at the end")
    receiver.add_argument(
        "--max-mib", type=int, default=Limits.total // MIB, help="size of an upload, unpacked"
    )
    receiver.add_argument("--max-files", type=int, default=Limits.files, help="files of an upload")
    receiver.add_argument(
        "--reserve-mib", type=int, default=Limits.reserve // MIB, help="what stays free on disk"
    )
    receiver.add_argument("--timeout", type=int, default=900, help="seconds that an upload may take")
    cleaner = commands.add_parser("expire", help="remove old builds")
    cleaner.add_argument("--days", type=float, required=True, help="age from which builds are removed")
    for command in (receiver, cleaner):
        command.add_argument("--root", type=Path, required=True, help="folder of the logs")
    arguments = parser.parse_args()
    os.umask(0o027)
    if arguments.command == "expire":
        for path in expire(arguments.root, arguments.days):
            print(f"removed {path}")  # noqa: T201 - the journal's line
        return 0
    return receive(arguments)


def receive(arguments: argparse.Namespace) -> int:
    """Take an upload and say how it ended."""
    limits = Limits(arguments.max_mib * MIB, arguments.max_files, reserve=arguments.reserve_mib * MIB)
    # An archive's header may claim any length: memory is bounded here, what is written by the limits.
    resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, 512 * MIB))
    for number in STOPPING:
        signal.signal(number, stop)
    signal.alarm(arguments.timeout)
    syslog.openlog("xenci-log-receive")
    path = ""
    try:
        path = requested(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
        upload(arguments.root, path, sys.stdin.buffer, limits)
    except (UploadError, tarfile.TarError, OSError, MemoryError, RecursionError, ValueError) as error:
        reason = why(error)
        syslog.syslog(syslog.LOG_WARNING, f"refused {path!a}: {reason}")
        print(json.dumps({"error": reason}))  # noqa: T201 - the answer
        return 1
    syslog.syslog(syslog.LOG_INFO, f"took {path}")
    print(json.dumps({"url": f"{arguments.url.rstrip('/')}/{urllib.parse.quote(path)}/"}))  # noqa: T201 - the answer
    return 0


def requested(command: str) -> str:
    """Return the path of `upload PATH`; nothing else is a command here."""
    words = command.split(" ")
    if len(words) != 2 or words[0] != "upload":
        raise UploadError("this key can only `upload PATH`, with a tar stream on standard input")
    return words[1]


def why(error: BaseException) -> str:
    """Return the reason for the reader of a build's result; nothing about the server's folders."""
    if isinstance(error, UploadError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the log server's disk is full"
    if isinstance(error, OSError):
        return f"the log server can't write: {error.strerror}"
    return "not a tar archive, or cut off"


def stop(number: int, frame: FrameType | None) -> None:
    """End an upload on a signal as on any other error, so that nothing is left over."""
    for other in STOPPING:
        signal.signal(other, signal.SIG_IGN)
    raise UploadError(
        "the upload took too long" if number == signal.SIGALRM else "the log server stopped the upload"
    )


if __name__ == "__main__":
    sys.exit(main())
