"""Plain pages for people: all changes, and one change with its votes and comments. No scripts, no forms."""

from __future__ import annotations

import datetime
from html import escape
from urllib.parse import quote

from aiohttp import web

from xenci.lab_gerrit import requirements
from xenci.lab_gerrit.change_info import with_names
from xenci.lab_gerrit.labels import vote
from xenci.lab_gerrit.query import visible_changes
from xenci.lab_gerrit.server import Server, short_ref
from xenci.lab_gerrit.store import Row
from xenci.lab_gerrit.views import ChangeView

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #202124 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 600 }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #dadce0; vertical-align: top }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0 .6rem;
  font: 13px/1.45 ui-monospace, monospace }
.plus { color: #137333; font-weight: 600 } .minus { color: #c5221f; font-weight: 600 }
.quiet { color: #5f6368 } a { color: #1967d2; text-decoration: none } a:hover { text-decoration: underline }
"""
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def _page(title: str, body: str) -> web.Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{body}</html>\n'
    )
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _time(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _votes(view: ChangeView) -> str:
    shown = []
    for row in view.approvals:
        if row["value"]:
            kind = "plus" if row["value"] > 0 else "minus"
            shown.append(f'<span class="{kind}">{escape(row["label"])}&nbsp;{vote(row["value"])}</span>')
    return ", ".join(shown)


def _url(view: ChangeView) -> str:
    return f"/c/{quote(view.project)}/+/{view.number}"


def _status(row: Row) -> str:
    words = [row["status"].lower()]
    words += [word for word, on in (("work in progress", row["wip"]), ("private", row["private"])) if on]
    return ", ".join(words)


def changes(server: Server) -> web.Response:
    """The page `/`: what everybody may see."""
    rows = "".join(
        f'<tr><td><a href="{_url(view)}">{view.number}</a><td>{escape(view.row["subject"])}'
        f"<td>{escape(view.project)}<td>{escape(short_ref(view.branch))}<td>{escape(_status(view.row))}"
        f'<td>{_votes(view)}<td class="quiet">{_time(view.row["updated"])}'
        for view in visible_changes(server, None)
    )
    head = "<tr><th>Change<th>Subject<th>Project<th>Branch<th>Status<th>Votes<th>Updated"
    table = f"<table>{head}{rows}</table>" if rows else "<p>No changes yet.</p>"
    return _page("Changes", f"<h1>Changes</h1>{table}")


def change(server: Server, number: int) -> web.Response | None:
    """The page of one change; None if there is none that everybody may see."""
    row = server.change(number)
    if row is None or not server.access.can_see_change(None, row):
        return None
    view = ChangeView(server, row)
    owner = server.accounts.get(row["owner"])
    facts = [
        ("Project", view.project),
        ("Branch", short_ref(view.branch)),
        ("Owner", owner.shown if owner else ""),
        ("Status", _status(row)),
        ("Topic", row["topic"] or ""),
        ("Patch set", f"{row['current']}, {view.current['revision']}"),
        ("Fetch", f"refs/changes/{number % 100:02}/{number}/{row['current']}"),
    ]
    table = "".join(f"<tr><th>{key}<td>{escape(str(value))}" for key, value in facts if value)
    body = (
        f'<p><a href="/">All changes</a><h1>{number}: {escape(row["subject"])}</h1><table>{table}</table>'
        f"<pre>{escape(view.commit.message)}</pre>{_vote_table(view)}{_requirements(view)}{_files(view)}"
        f"{_messages(view)}"
    )
    return _page(f"{number}: {row['subject']}", body)


def _vote_table(view: ChangeView) -> str:
    rows = ""
    for row in view.approvals:
        account = view.server.accounts.get(row["account"])
        kind = "plus" if row["value"] > 0 else "minus"
        if row["value"]:
            rows += (
                f'<tr><td>{escape(row["label"])}<td class="{kind}">{vote(row["value"])}'
                f"<td>{escape(account.shown if account else '')}<td>{escape(row['tag'] or '')}"
                f'<td class="quiet">{_time(row["granted"])}'
            )
    return f"<h2>Votes</h2><table>{rows}</table>" if rows else "<h2>Votes</h2><p>None.</p>"


def _requirements(view: ChangeView) -> str:
    rows = "".join(
        f"<tr><td>{escape(found['name'])}<td>{escape(found['status'].lower().replace('_', ' '))}"
        for found in requirements.results(view)
    )
    return f"<h2>Submit requirements</h2><table>{rows}</table>" if rows else ""


def _files(view: ChangeView) -> str:
    rows = "".join(
        f'<tr><td>{escape(path)}<td class="plus">+{view.files[path].get("lines_inserted", 0)}'
        f'<td class="minus">-{view.files[path].get("lines_deleted", 0)}'
        for path in view.paths
    )
    return f"<h2>Files</h2><table>{rows}</table>"


def _messages(view: ChangeView) -> str:
    shown = ""
    for row in view.messages:
        account = view.server.accounts.get(row["author"]) if row["author"] is not None else None
        shown += (
            f'<p><b>{escape(account.shown if account else "Gerrit")}</b> <span class="quiet">'
            f"{_time(row['date'])} {escape(row['tag'] or '')}</span>"
            f"<pre>{escape(with_names(view.server, row['text']))}</pre>"
        )
        for comment in view.comments:
            if comment["message"] == row["id"]:
                shown += f'<pre class="quiet">{escape(comment["path"])}: {escape(comment["text"])}</pre>'
    return f"<h2>Comments</h2>{shown}"
