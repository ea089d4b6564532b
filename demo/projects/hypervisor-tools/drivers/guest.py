"""What a guest needs, whatever runs it."""

import dataclasses
from typing import Iterable, List, Optional


@dataclasses.dataclass(frozen=True)
class Guest:
    """A guest's needs: memory in MiB, disks as paths or device names in the order of the definition."""

    name: str
    driver: str
    memory: int
    vcpus: int = 1
    disks: "tuple[str, ...]" = ()

    def __post_init__(self) -> None:
        """Refuse what no hypervisor would start."""
        if not self.name:
            raise ValueError("a guest without a name")
        if self.memory < 1:
            raise ValueError(f"guest {self.name} has no memory")
        if self.vcpus < 1:
            raise ValueError(f"guest {self.name} has no vcpu")


@dataclasses.dataclass(frozen=True)
class Total:
    """What guests need together."""

    memory: int
    vcpus: int


def total(guests: Iterable[Guest]) -> Total:
    """Add up; refuse two guests of one name, or a disk that two would write to."""
    seen = list(guests)
    for what, values in (
        ("name", [guest.name for guest in seen]),
        ("disk", [disk for guest in seen for disk in guest.disks]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"the same {what} twice: {', '.join(twice)}")
    return Total(sum(guest.memory for guest in seen), sum(guest.vcpus for guest in seen))


def table(guests: Iterable[Guest], host_memory: Optional[int] = None) -> str:
    """Format guests and total for a terminal."""
    seen = list(guests)
    summed = total(seen)
    lines: List[str] = [f"{'name':12} {'driver':6} {'vcpus':>6} {'memory MiB':>11}"]
    lines += [f"{guest.name:12} {guest.driver:6} {guest.vcpus:6} {guest.memory:11}" for guest in seen]
    verdict = ""
    if host_memory is not None:
        verdict = f"  ({'fits into' if summed.memory <= host_memory else 'does not fit into'} {host_memory})"
    lines.append(f"{'total':12} {'':6} {summed.vcpus:6} {summed.memory:11}{verdict}")
    return "\n".join(lines)
