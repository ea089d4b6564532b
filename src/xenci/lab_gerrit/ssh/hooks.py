"""The commit-msg hook over scp (`scp -O`, the old protocol, as Gerrit has it)."""

from __future__ import annotations

from xenci.lab_gerrit.commit_msg import HOOK
from xenci.lab_gerrit.ssh.session import Session, fatal


async def scp(session: Session, words: list[str]) -> int:
    """Serve `scp -f hooks/commit-msg`."""
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    paths = [word for word in words if not word.startswith("-")]
    if "f" not in flags or len(paths) != 1:
        raise fatal("scp: only reading is supported")
    if paths[0].strip("/") != "hooks/commit-msg":
        raise fatal(f"scp: {paths[0]}: no such file or directory")
    read, write = session.process.stdin, session.process.stdout
    data = HOOK.encode()
    steps = [b"T0 0 0 0\n"] if "p" in flags else []
    await read.readexactly(1)
    for step in [*steps, b"C0755 %d commit-msg\n" % len(data), data + b"\0"]:
        write.write(step)
        await read.readexactly(1)
    return 0
