"""Make the installed packages a guest."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

from image_parts.run import run

GUEST = Path(__file__).resolve().parents[1] / "guest"
# Of the units that systemd itself starts at boot, those that are worth their time in a guest.
KEPT = {
    "dev-mqueue.mount",
    "systemd-journald-dev-log.socket",
    "systemd-journald.service",
    "systemd-journald.socket",
    "systemd-tmpfiles-setup.service",
}
# Units of other packages that have nothing to do in a guest that lives for one build.
IDLE = {
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "ssh.socket",
    "systemd-pstore.service",
}
# What no two guests may share, and what only takes space. The seed brings the first.
REMOVED = [
    "etc/hostname",
    "etc/resolv.conf",
    "etc/ssh/ssh_host_*",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "root/.cache",
    "tmp/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
]


def furnish(tree: Path, files: Path | None) -> None:
    """Add user, units and settings, and last the caller's own files; remove what only one guest may have."""
    run(["chroot", str(tree), "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", "zuul"])
    owned = (tree / "var/lib/dpkg/info/systemd.list").read_text("utf-8").splitlines()
    for name in sorted(started(owned) - KEPT | IDLE):
        void(tree / "etc/systemd/system" / name)
    for path in owned:
        if "/system-generators/" in path:
            void(tree / "etc/systemd/system-generators" / Path(path).name)
    for pattern in REMOVED:
        for found in tree.glob(pattern):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            else:
                found.unlink()
    (tree / "etc/machine-id").write_text("", encoding="ascii")
    (tree / "etc/ssh/authorized_keys").mkdir()
    for top in filter(None, (GUEST, files)):
        overlay(tree, top)
    (tree / "etc/sudoers.d/golden_image").chmod(0o440)


def started(owned: list[str]) -> set[str]:
    """Return the units that a package starts by itself, without anybody enabling them; no targets."""
    wanted = (re.search(r"/system/[\w-]+\.target\.wants/([^/]+)$", path) for path in owned)
    return {match[1] for match in wanted if match and not match[1].endswith(".target")}


def void(path: Path) -> None:
    """Put a link to nothing in the place of a unit or a generator."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/null")


def overlay(tree: Path, top: Path) -> None:
    """Put files over the tree, owned by root; of their modes only the right to run them is kept."""
    for path in sorted(top.rglob("*")):
        target = tree / path.relative_to(top)
        if path.is_dir() and not path.is_symlink():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.unlink(missing_ok=True)
        shutil.copyfile(path, target, follow_symlinks=False)
        if not path.is_symlink():
            target.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
