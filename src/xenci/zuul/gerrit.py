"""Our Gerrit driver, in place of Zuul's own: a third party that speaks only of what it has tested.

Zuul 14.3 reports through `failure` also when it gives up on a change before it is tested: a parent or
Depends-On got a new patch set meanwhile ("This change depends on a change that failed to merge"), or changes
depend on each other in a circle. To upstream that is noise with a -1. A reporter with the option
`only-tested: true` says nothing then.

This file is the only one that leans on how Zuul marks such items; tests/zuul/test_modes.py fails when that
moves.
"""

from __future__ import annotations

from typing import Any

from zuul.driver.gerrit import GerritDriver as StockDriver
from zuul.driver.gerrit.gerritreporter import GerritReporter as StockReporter

OPTION = "only-tested"


def tested(item: Any) -> bool:
    """Whether a queue item ran its jobs to their end, as far as anybody let it."""
    return bool(item.getJobs()) and not (
        item.wasDequeuedNeedingChange() or item.wasDequeuedMissingRequirements()
    )


class GerritReporter(StockReporter):  # type: ignore[misc]
    """Zuul's reporter with the option `only-tested`."""

    def __init__(self, driver: Any, connection: Any, config: dict[str, Any] | None = None) -> None:
        # What the stock reporter does not know it takes for a label.
        known = {key: value for key, value in (config or {}).items() if key != OPTION}
        super().__init__(driver, connection, known)
        self.only_tested = bool((config or {}).get(OPTION, False))

    def report(self, item: Any, phase1: bool = True, phase2: bool = True) -> Any:
        """Report, or leave it. Returns errors, none of them where there was nothing to say."""
        if self.only_tested and not tested(item):
            self.log.info("Nothing of %s was tested, so nothing is said", item)
            return []
        return super().report(item, phase1, phase2)


class GerritDriver(StockDriver):  # type: ignore[misc]
    """Zuul's driver with our reporter; the name stays, so that `driver=gerrit` means this one."""

    def getReporter(  # noqa: N802  # Zuul's name
        self, connection: Any, pipeline: Any, config: dict[str, Any] | None = None, parse_context: Any = None
    ) -> GerritReporter:
        """Make the reporter of a pipeline's action."""
        return GerritReporter(self, connection, config)
