"""Packages: which ones a guest has, and how they are installed."""

from __future__ import annotations

from pathlib import Path

from image_parts.run import ImageError, run
from image_parts.sources import sources

KERNEL = "linux-image-amd64"
# What Zuul's executor and Ansible need, and what makes a Debian system of it. No udev, dbus or logind: a
# guest's devices are known, and each of them would cost seconds at every boot.
PACKAGES = [
    "apt",
    "busybox-static",
    "ca-certificates",
    "e2fsprogs",
    "git",
    "iproute2",
    "kmod",
    "make",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "rsync",
    "sudo",
    "systemd",
    "systemd-sysv",
]
# The machine's own CA file is what its package client trusts; jobs in the guest must trust the same.
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


# Nothing outlives a build that is killed: no program, and none of the mounts through which removing what it
# left behind would come to the machine's own /dev and /sys.
ALONE = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"),
)


def bootstrap(suite: str, more: list[str], work: Path, tree: Path, kernel: Path) -> None:
    """Install the packages into `tree`, and unpack the kernel's into `kernel`.

    The kernel's is not installed: it would bring initramfs-tools, and that udev.
    """
    texts = sources(suite)
    if not texts:
        raise ImageError(
            f"no package source of this machine offers {suite}: add one to /etc/apt/sources.list.d"
        )
    files = []
    for name, text in sorted(texts.items()):
        files.append(work / name)
        files[-1].write_text(text, encoding="utf-8")
    depends = r"s/^ *Depends: \(linux-image-[0-9].*\)/\1/p"
    hooks = [
        f'export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; cd {kernel}; '
        f"apt-get -q download $(apt-cache depends {KERNEL} | sed -n '{depends}')"
    ]
    if BUNDLE.is_file():
        hooks.append(f'cp {BUNDLE} "$1{BUNDLE}"')
    run(
        [
            *(*ALONE, "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
            '--aptopt=APT::Install-Recommends "false"',
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")),
            f"--include={','.join([*PACKAGES, *more])}",
            *(f"--customize-hook={hook}" for hook in hooks),
            *(suite, str(tree), *map(str, files)),
        ]
    )
    run(["dpkg-deb", "--extract", str(package(kernel)), str(kernel)])


def package(kernel: Path) -> Path:
    """Return the kernel's package."""
    (found,) = kernel.glob("*.deb")
    return found


def installed(tree: Path, kernel: Path) -> dict[str, str]:
    """Return every package with its version, the kernel's among them."""
    form = "${Package} ${Version}\n"
    lines = run(["dpkg-query", f"--admindir={tree}/var/lib/dpkg", "--show", "--showformat", form])
    lines += run(["dpkg-deb", "--show", "--showformat", form, str(package(kernel))])
    return dict(sorted(line.split(" ", 1) for line in lines.splitlines()))
