"""git's proc-receive hook: passes what is pushed to the daemon, and its answer back to git.

Runs once for each push, as a script of its own (standard library only, it must start fast). The daemon
speaks JSON lines: it gets {"token", "commands": [[old, new, ref]], "options": [...]} and sends any number of
{"progress": text} and at last {"results": [[ref, reason or null]]}.
"""

import json
import os
import socket
import sys
from typing import BinaryIO


def read_packet(stream: BinaryIO) -> bytes | None:
    """One pkt-line; None is a flush."""
    size = int(stream.read(4) or b"0000", 16)
    return stream.read(size - 4) if size >= 4 else None


def read_section(stream: BinaryIO) -> list[str]:
    """pkt-lines up to a flush."""
    lines = []
    while (packet := read_packet(stream)) is not None:
        lines.append(packet.rstrip(b"\n").decode())
    return lines


def write_packet(stream: BinaryIO, text: str | None) -> None:
    """Write a pkt-line; None is a flush."""
    if text is None:
        stream.write(b"0000")
    else:
        data = text.encode()
        stream.write(b"%04x" % (len(data) + 4) + data)
    stream.flush()


def main() -> int:
    """Talk to git on stdin and stdout, to the daemon on its socket."""
    git_in, git_out = sys.stdin.buffer, sys.stdout.buffer
    greeting = read_section(git_in)
    features = greeting[0].partition("\0")[2].split() if greeting else []
    with_options = "push-options" in features
    write_packet(git_out, "version=1\0push-options" if with_options else "version=1")
    write_packet(git_out, None)
    commands = [line.split(" ", 2) for line in read_section(git_in)]
    options = read_section(git_in) if with_options else []
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.connect(os.environ["LAB_GERRIT_SOCKET"])
        asked = {"token": os.environ["LAB_GERRIT_PUSH"], "commands": commands, "options": options}
        daemon.sendall(json.dumps(asked).encode() + b"\n")
        for line in daemon.makefile("rb"):
            said = json.loads(line)
            if "progress" in said:
                sys.stderr.write(said["progress"])
                sys.stderr.flush()
            if "results" in said:
                for ref, reason in said["results"]:
                    write_packet(git_out, "ok " + ref if reason is None else f"ng {ref} {reason}")
                write_packet(git_out, None)
                return 0
    sys.stderr.write("fatal: the server went away\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
