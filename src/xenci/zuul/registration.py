"""The one place that leans on how Zuul registers its drivers (no entry point exists for them; Zuul 14.3)."""

from __future__ import annotations

import importlib
from typing import Any


class MovedError(RuntimeError):
    """Zuul's inside is not what this package was written for, so starting it would be unsafe."""


def lookup(module: str, *path: str) -> Any:
    """Return the object `module.path[0].path[1]…`, or raise MovedError naming what is missing."""
    try:
        found: Any = importlib.import_module(module)
        for name in path:
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        where = ".".join([module, *path])
        raise MovedError(f"{where} is not in this Zuul ({error}); xenci needs zuul>=14.3,<15") from error
    return found


def register(drivers: list[tuple[str, str]]) -> None:
    """Make every later ConnectionRegistry also register `drivers`, a list of (module, class).

    A driver whose name Zuul already has takes that driver's place.
    Raises MovedError if ConnectionRegistry no longer works the way this relies on.
    """
    registry = lookup("zuul.lib.connections", "ConnectionRegistry")
    lookup("zuul.lib.connections", "ConnectionRegistry", "registerDriver")
    stock_init = registry.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        stock_init(self, *args, **kwargs)
        if not isinstance(getattr(self, "drivers", None), dict) or "gerrit" not in self.drivers:
            raise MovedError("ConnectionRegistry.drivers has changed; xenci needs zuul>=14.3,<15")
        for module, name in drivers:
            driver = lookup(module, name)()
            self.drivers.pop(driver.name, None)
            self.registerDriver(driver)

    registry.__init__ = init
