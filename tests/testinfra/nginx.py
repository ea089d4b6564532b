"""What the tests of services behind nginx share."""

from __future__ import annotations

from typing import Any


def is_hardened(host: Any) -> None:
    """Ask the running nginx, not its files: what holds for its master holds for its workers."""
    words = host.check_output("systemd-analyze security --no-pager nginx.service | tail -1").split()
    assert float(words[words.index("nginx.service:") + 1]) <= 3.0
    master = host.check_output("systemctl show --value --property MainPID nginx.service")
    status = dict(
        line.split(":\t", 1) for line in host.file(f"/proc/{master}/status").content_string.splitlines()
    )
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    # CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, NET_BIND_SERVICE
    assert int(status["CapBnd"], 16) == 1 << 0 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10
    for path in ("/etc", "/usr", "/srv", "/var/www"):
        refused = host.run(f"nsenter --target {master} --mount touch {path}/written")
        assert "Read-only file system" in refused.stderr, path
    assert host.check_output(f"nsenter --target {master} --mount ls -A /root") == ""
