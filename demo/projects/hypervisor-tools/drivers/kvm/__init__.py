"""KVM: guests as libvirt defines them (docs/kvm.md)."""

import xml.etree.ElementTree as ElementTree

from drivers.guest import Guest

# libvirt's units of memory in bytes; without a unit it means KiB.
UNITS = {
    "b": 1, "bytes": 1,
    "KB": 1000, "k": 1024, "KiB": 1024,
    "MB": 1000**2, "M": 1024**2, "MiB": 1024**2,
    "GB": 1000**3, "G": 1024**3, "GiB": 1024**3,
    "TB": 1000**4, "T": 1024**4, "TiB": 1024**4,
}  # fmt: skip


def parse(text: str) -> Guest:
    """Read a domain's XML; ValueError says what is missing."""
    try:
        domain = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from None
    if domain.tag != "domain":
        raise ValueError(f"<{domain.tag}> is not a domain")
    name = domain.findtext("name", "").strip()
    sources = [disk.find("source") for disk in domain.findall("devices/disk")]
    return Guest(
        name=name,
        driver="kvm",
        memory=mebibytes(domain.find("memory")),
        vcpus=int(domain.findtext("vcpu", "1")),
        disks=tuple(
            source.get("file") or source.get("dev") or "" for source in sources if source is not None
        ),
    )


def mebibytes(memory: "ElementTree.Element | None") -> int:
    """Return an element's amount in MiB, rounded up: a guest never gets less than it asks for."""
    if memory is None or memory.text is None:
        raise ValueError("no memory")
    unit = memory.get("unit", "KiB")
    if unit not in UNITS:
        raise ValueError(f"unknown unit of memory {unit!r}")
    return -(-int(memory.text) * UNITS[unit] // 1024**2)
