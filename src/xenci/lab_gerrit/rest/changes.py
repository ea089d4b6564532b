"""/changes."""

from __future__ import annotations

from xenci.lab_gerrit.rest.call import Route

routes: list[Route] = []
