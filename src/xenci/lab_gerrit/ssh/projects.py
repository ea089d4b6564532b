"""`gerrit ls-projects`."""

from __future__ import annotations

import json
from urllib.parse import quote

from xenci.lab_gerrit.server import full_ref
from xenci.lab_gerrit.ssh.session import Session, parse


async def list_projects(session: Session, words: list[str]) -> None:
    """Names of the projects that the account sees."""
    parsed = parse(
        words,
        flags=["description|d", "tree|t", "all"],
        values=[
            "format",
            "show-branch|b",
            "type",
            "limit|n",
            "start|S",
            "prefix|p",
            "match|m",
            "r",
            "state|s",
        ],
    )
    server = session.server
    rows = server.store.all("SELECT * FROM projects ORDER BY name")
    seen = [row for row in rows if server.access.can_see_project(session.account.id, row["name"])]
    if parsed.value("prefix"):
        seen = [row for row in seen if row["name"].startswith(parsed.value("prefix"))]
    form = (parsed.value("format") or "TEXT").upper()
    if form != "TEXT":
        found = {row["name"]: {"id": quote(row["name"], safe=""), "state": row["state"]} for row in seen}
        session.write(json.dumps(found, indent=2 if form == "JSON" else None) + "\n")
        return
    for row in seen:
        branches = ""
        if parsed.flag("show-branch"):
            refs = [full_ref(name) for name in parsed.values("show-branch")]
            values = [await server.repository(row["name"]).resolve(ref) for ref in refs]
            if not any(values):
                continue
            branches = "".join(f"{value or '-' * 40} " for value in values)
        text = f" - {row['description']}" if parsed.flag("description") and row["description"] else ""
        session.write(f"{branches}{row['name']}{text}\n")
