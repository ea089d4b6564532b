"""Whether a live answer means what the recorded one means.

Compared: status or exit, fields and their types, fixed values, texts, and the relation between volatile
values.
Not compared: numbers, hashes, times as such; order within one second.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from tests.gerrit_contract.identities import Identities

Differences = list[str]

_TOKEN = re.compile(
    r"(?P<change>(?<=refs/changes/)\d\d/\d+)"
    r"|(?P<change_number>(?<=/\+/)\d+|(?<=\bchange )\d+|(?<=\bChange )\d+|(?<=[\w]~)\d+\b)"
    r"|(?P<user>(?<=refs/users/)\d\d/\d+)"
    r"|(?P<group>(?<=refs/groups/)[0-9a-f]{2}/[0-9a-f]{40})"
    r"|(?P<change_id>\bI[0-9a-f]{40}\b)"
    r"|(?P<sha>[0-9a-f]{40})"
    r"|(?P<comment>\b[0-9a-f]{8}_[0-9a-f]{8}\b)"
    r"|(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?|\b\d\d:\d\d:\d\d\.\d{3}\b"
    r"|[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4})"
    r"|(?P<hex>\b[0-9a-f]{7,12}\b)"
    r"|(?P<number>\d+)"
)
_ANY_TIME = {"createdOn", "grantedOn", "lastUpdated", "eventCreatedOn", "timestamp", "runTimeMilliseconds"}
_SET_LIKE = {
    "all",
    "REVIEWER",
    "CC",
    "removable_reviewers",
    "reviewers",
    "allReviewers",
    "approvals",
    "tags",
    "owner_of",
    "submit_requirements",
}
_RUN_TIME = re.compile(r"runTimeMilliseconds: \d+")
_SCHEME = re.compile(r"http://review(?=\.example\.org)")  # TLS stood in front of some servers, of others not
_PLACEHOLDER = re.compile(r"^<[a-z0-9. -]+>$")


def compare(recorded: Any, live: Any, ids: Identities, path: str = "") -> Differences:
    """Differences between two JSON values, each as `path: what`; empty where both mean the same."""
    if type(recorded) is not type(live):
        return [f"{path or '.'}: {_kind(recorded)} expected, got {_kind(live)} {_short(live)}"]
    if isinstance(recorded, dict):
        return _compare_objects(recorded, live, ids, path)
    if isinstance(recorded, list):
        return _compare_lists(recorded, live, ids, path)
    if isinstance(recorded, str):
        return compare_text(recorded, live, ids, path)
    return [] if recorded == live else [f"{path}: {_short(recorded)} expected, got {_short(live)}"]


def compare_text(recorded: str, live: str, ids: Identities, path: str = "") -> Differences:
    """Compare two texts word by word; numbers, hashes and times inside them by what they stand for."""
    recorded, live = (
        _SCHEME.sub("https://review", _RUN_TIME.sub("took a time", text)) for text in (recorded, live)
    )
    if recorded == live and not re.search(r"[0-9a-f]{40}", recorded):
        return []
    if _PLACEHOLDER.match(recorded) and recorded.startswith("<generated"):
        return [] if live else [f"{path}: something generated expected, got nothing"]
    ours, theirs = _tokens(recorded), _tokens(live)
    if len(ours) != len(theirs):
        return [f"{path}: {_short(recorded)} expected, got {_short(live)}"]
    for (kind, one), (other_kind, other) in zip(ours, theirs, strict=True):
        if not _same_token(kind, one, other_kind, other, ids):
            return [
                f"{path}: {_short(recorded)} expected, got {_short(live)} (at {_short(one)} / "
                f"{_short(other)})"
            ]
    return []


def compare_status(recorded: dict[str, Any], live: dict[str, Any]) -> Differences:
    """Compare status of a REST answer or exit of a command."""
    key = "status" if "status" in recorded else "exit"
    if recorded[key] == live[key]:
        return []
    return [f"{key}: {recorded[key]} expected, got {live[key]}"]


def compare_rest(recorded: dict[str, Any], live: dict[str, Any], ids: Identities) -> Differences:
    """Compare one REST answer: status, headers that say something, body."""
    found = compare_status(recorded, live)
    for name in sorted({*recorded["response_headers"], *live["response_headers"]}):
        found += _compare_optional(
            recorded["response_headers"], live["response_headers"], name, ids, "header "
        )
    answer = recorded["response"]
    if isinstance(answer, dict) and "omitted" in answer:
        if not isinstance(live["response"], str) or not live["response"].strip():
            found.append("body: some text expected, got nothing")
        return found
    ours, theirs = answer, live["response"]
    if recorded["response_headers"].get("x-fyi-content-encoding") == "base64":
        ours, theirs = _decoded(ours), _decoded(theirs)
    if isinstance(ours, str) and isinstance(theirs, str):
        ours, theirs = _advertised(ours), _advertised(theirs)
    return found + compare(ours, theirs, ids, "")


def compare_command(recorded: dict[str, Any], live: dict[str, Any], ids: Identities) -> Differences:
    """Compare one ssh or git command: exit, what it printed."""
    found = compare_status(recorded, live)
    for stream in ("stdout", "stderr"):
        ours, theirs = _parsed(recorded[stream]), _parsed(live[stream])
        if type(ours) is not type(theirs):
            ours, theirs = recorded[stream], live[stream]
        found += compare(ours, theirs, ids, stream)
    return found


def compare_events(
    recorded: list[dict[str, Any]], live: list[dict[str, Any]], ids: Identities
) -> Differences:
    """Compare the events that followed one exchange; their order within it is not compared."""
    left = list(live)
    found: Differences = []
    for event in recorded:
        match = _take(event, left, ids)
        if match is None:
            same_type = [other for other in left if other.get("type") == event["type"]]
            if same_type:
                left.remove(same_type[0])
                found += compare(event, same_type[0], ids, f"event {event['type']}")
            else:
                found.append(f"event {_event_name(event)} expected, did not come")
    found += [f"event {_event_name(event)} came, not expected" for event in left]
    return found


def _decoded(text: Any) -> Any:
    """The file that an answer carries in base64; what is none is left as it is."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (TypeError, ValueError):
        return text


def _compare_optional(
    recorded: dict[str, str], live: dict[str, str], name: str, ids: Identities, prefix: str
) -> Differences:
    if name not in live:
        return [f"{prefix}{name}: missing"]
    if name not in recorded:
        return [f"{prefix}{name}: not expected, got {_short(live[name])}"]
    ours, theirs = (re.sub(r";\s+", ";", headers[name].lower()) for headers in (recorded, live))
    return compare_text(ours, theirs, ids, prefix + name)


def _compare_objects(
    recorded: dict[str, Any], live: dict[str, Any], ids: Identities, path: str
) -> Differences:
    pairs, missing, extra = _pair_keys(recorded, live, ids, path)
    found = [f"{path}.{key}: missing" for key in missing] + [f"{path}.{key}: not expected" for key in extra]
    for key, live_key in pairs:
        here = f"{path}.{key}"
        one, other = recorded[key], live[live_key]
        special = _special(key, recorded)
        if special and type(one) is type(other):
            if not special(str(one), str(other), ids):
                found.append(f"{here}: {_short(one)} expected, got {_short(other)} (another one)")
        else:
            found += compare(one, other, ids, here)
    return found


def _special(key: str, parent: dict[str, Any]) -> Callable[[str, str, Identities], bool] | None:
    """How a field is compared whose meaning only its name tells."""
    if key in _ANY_TIME or key.startswith(("number_of_", "size_of_")):
        return lambda one, other, ids: True
    if key == "meta_rev_id" or (key == "id" and {"message", "date"} <= set(parent)):
        # Deleting a comment writes the history of /meta anew: ids of messages and of /meta commits part
        # company.
        kind = "meta" if key == "meta_rev_id" else "message"
        return lambda one, other, ids: ids.agree(kind, one, other) or len(one) == len(other)
    if key == "change_message_id":
        # Gerrit finds the message of a comment by its second.
        return lambda one, other, ids: len(one) == len(other)
    if key == "_account_id":
        return lambda one, other, ids: ids.agree("account", one, other)
    if key in {
        "_change_number",
        "virtual_id_number",
        "revert_of",
        "cherry_pick_of_change",
        "cherryPickOfChange",
    }:
        return lambda one, other, ids: ids.agree("change", one, other)
    if key in {"_number", "number"} and {"id", "change_id", "project"} & set(parent):
        return lambda one, other, ids: ids.agree("change", one, other)
    return None


def _pair_keys(
    recorded: dict[str, Any], live: dict[str, Any], ids: Identities, path: str
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Pair fields by name; keys that are hashes or numbers (revisions, groups, accounts) by what they
    stand for.
    """
    volatile = [key for key in recorded if _is_volatile_key(key)]
    pairs = [(key, key) for key in recorded if key in live and key not in volatile]
    missing = [key for key in recorded if key not in live and key not in volatile]
    left = [key for key in live if key not in recorded or key in volatile]
    unmatched = []
    for key in volatile:
        found = [other for other in left if _is_volatile_key(other) and _known(key, other, ids)]
        if found:
            pairs.append((key, found[0]))
            left.remove(found[0])
        else:
            unmatched.append(key)
    for key in unmatched:
        candidates = [other for other in left if _is_volatile_key(other)]
        best = next((other for other in candidates if _tried(key, other, recorded, live, ids, path)), None)
        best = best or (candidates[0] if len(candidates) == 1 else None)
        if best is None or compare_text(key, best, ids):
            missing.append(key)
        else:
            pairs.append((key, best))
            left.remove(best)
    return pairs, missing, left


def _is_volatile_key(key: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{40}|\d{7}", key))


def _known(key: str, other: str, ids: Identities) -> bool:
    return other in ids.live("sha" if len(key) == 40 else "account", key)


def _tried(
    key: str, other: str, recorded: dict[str, Any], live: dict[str, Any], ids: Identities, path: str
) -> bool:
    before = ids.snapshot()
    same = not compare_text(key, other, ids) and not compare(recorded[key], live[other], ids, path)
    ids.restore(before)
    return same


def _compare_lists(recorded: list[Any], live: list[Any], ids: Identities, path: str) -> Differences:
    if len(recorded) != len(live):
        return [f"{path or '.'}: {len(recorded)} entries expected, got {len(live)}{_names(recorded, live)}"]
    before = ids.snapshot()
    found: Differences = []
    for index, (one, other) in enumerate(zip(recorded, live, strict=True)):
        found += compare(one, other, ids, f"{path}[{index}]")
    if not found or not _order_is_free(path, recorded):
        return found
    ids.restore(before)
    order = []
    left = list(live)
    for one in recorded:
        match = _take(one, left, ids)
        if match is None:
            return found
        order.append(match)
    if "updated" in recorded[0] and path.rsplit(".", 1)[-1] not in _SET_LIKE and not _tied(order, live):
        return [f"{path or '.'}: order differs"]
    return []


def _order_is_free(path: str, recorded: list[Any]) -> bool:
    if path.rsplit(".", 1)[-1] in _SET_LIKE or all(_is_group(entry) for entry in recorded):
        return True
    return all(isinstance(entry, dict) and "updated" in entry for entry in recorded)


def _is_group(entry: Any) -> bool:
    """Groups and reviewers come out of a set: their order says nothing."""
    keys = set(entry) if isinstance(entry, dict) else set()
    return {"id", "name", "options"} <= keys or {"_account_id", "approvals"} <= keys


def _tied(order: list[dict[str, Any]], live: list[dict[str, Any]]) -> bool:
    """Whether entries stand elsewhere than recorded only because they were made within a second of each
    other.
    """
    return all(
        abs(_seconds(one["updated"]) - _seconds(other["updated"])) <= 1
        for one, other in zip(order, live, strict=True)
    )


def _seconds(stamp: str) -> float:
    hours, minutes, seconds = stamp.rsplit(" ", 1)[-1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _take(one: Any, left: list[Any], ids: Identities) -> Any | None:
    for other in left:
        before = ids.snapshot()
        if not compare(one, other, ids):
            left.remove(other)
            return other
        ids.restore(before)
    return None


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            found.append(("text", text[at : match.start()]))
        found.append((str(match.lastgroup), match.group()))
        at = match.end()
    if at < len(text):
        found.append(("text", text[at:]))
    return found


def _same_token(kind: str, one: str, other_kind: str, other: str, ids: Identities) -> bool:
    if kind in {"hex", "number"} and other_kind in {"hex", "number"}:
        return _same_number_or_abbreviation(one, other, ids)
    if kind != other_kind:
        return False
    if kind in {"change", "user"}:
        one, other = one.split("/")[1], other.split("/")[1]
        return ids.agree("change" if kind == "change" else "account", one, other)
    if kind == "change_number":
        # A number that stands for no change we know, as in a message that somebody wrote, is only a text.
        return (one == other and not ids.live("change", one)) or ids.agree("change", one, other)
    if kind == "group":
        return ids.agree("sha", one[3:], other[3:])
    if kind in {"sha", "change_id", "comment"}:
        return ids.agree(kind, one, other)
    return kind == "time" or one == other


def _same_number_or_abbreviation(one: str, other: str, ids: Identities) -> bool:
    if one == other:
        return True
    if one.isdigit() and other.isdigit():
        known = {*ids.live("change", one), *ids.live("account", one)}
        if known:
            return other in known
        return len(one) == len(other) >= 7
    if len(one) < 7 or len(other) < 7:
        return False
    full = [live for recorded, lives in ids.all("sha").items() if recorded.startswith(one) for live in lives]
    if full:
        return any(live.startswith(other) for live in full)
    return len(one) == len(other) and ids.agree("id", one, other)


def _advertised(text: str) -> str:
    """The refs of git's advertisement; lengths and capabilities (which git it is) are not compared."""
    if not re.search(r"^(001e# service=|[0-9a-f]{4}[0-9a-f]{40} \S+\0|0000$)", text):
        return text
    refs = re.findall(r"[0-9a-f]{4}([0-9a-f]{40} (?!capabilities)\S+)\0?", text.replace("\0", "\0 "))
    head = re.search(r"symref=HEAD:(\S+)", text)
    return "\n".join(
        ["refs:", *(ref.rstrip("\0") for ref in refs), f"HEAD is {head[1] if head else 'nothing'}"]
    )


def _parsed(text: str) -> Any:
    """JSON lines or one JSON document as such, git's advertisement as its refs; else the text."""
    text = _advertised(text)
    if text[:1] not in "{[":
        return text
    try:
        return [json.loads(line) for line in text.splitlines()]
    except ValueError:
        try:
            return json.loads(text)
        except ValueError:
            return text


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "boolean", int: "number", float: "number"}
    return "null" if value is None else names[type(value)]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 240 else text[:160] + " … " + text[-70:]


def _names(recorded: list[Any], live: list[Any]) -> str:
    def names(values: list[Any]) -> list[Any]:
        return [
            next(
                (
                    v[k]
                    for k in ("_number", "number", "name", "username", "_account_id", "id", "message")
                    if k in v
                ),
                "?",
            )
            if isinstance(v, dict)
            else v
            for v in values[:12]
        ]

    return f": {_short(names(recorded))} expected, got {_short(names(live))}"


def _event_name(event: dict[str, Any]) -> str:
    where = event.get("refUpdate", {}).get("refName") or event.get("change", {}).get("number") or ""
    return f"{event.get('type')} {where}".strip()
