"""Filter that turns what hosts and Zuul answered into the screen of a health check."""

from __future__ import annotations

DOCUMENTATION = """
name: healthcheck_report
short_description: Turn what hosts and Zuul answered into the screen of a health check
description:
  - Gives the lines for the operator, and a sentence for each problem, which names what is wrong, where and
    what to do.
  - It is the role C(healthcheck) that asks; the shapes are described with the function.
positional: expected, limits, now
options:
  _input:
    description: What was answered, with the keys C(hosts), C(urls), C(zuul) and C(tenant).
    type: dict
    required: true
  expected:
    description: Hosts of each kind of Zuul's services.
    type: dict
    required: true
  limits:
    description: C(events), C(request_seconds) and C(certificate_days).
    type: dict
    required: true
  now:
    description: The time in seconds since 1970.
    type: float
    required: true
"""

EXAMPLES = """
report: "{{ answers | xenci.stack.healthcheck_report({'executor': ['executor1']}, limits, 1769860800) }}"
"""

RETURN = """
_value:
  description: C(lines) to show, and C(problems); it is well where there are none.
  type: dict
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Answers = Mapping[str, Any]


def healthcheck_report(
    answers: Answers, expected: Mapping[str, Sequence[str]], limits: Mapping[str, int], now: float
) -> dict[str, list[str]]:
    """Lines and problems.

    ``answers``: ``hosts`` has for each host the lines of ``host_health.sh``, or None where it was not
    reached; ``urls`` a list of name, url, status and msg; ``zuul`` and ``tenant`` what the modules
    zuul_status_info and zuul_tenant_info returned, the latter with the tenant's ``name`` beside. ``now`` is
    in seconds since 1970.
    """
    lines: list[str] = []
    problems: list[str] = []
    parts = (
        _zuul(answers["zuul"], expected),
        # Where nothing answers, that is said once.
        _tenant(answers["tenant"], limits, now) if answers["zuul"]["reachable"] else (),
        _hosts(answers["hosts"], limits["certificate_days"]),
        _urls(answers["urls"]),
    )
    for label, text, wrong in itertools.chain(*parts):
        lines += [f"{label:<14}{text}"]
        problems += wrong
    return {"lines": lines, "problems": problems}


Row = tuple[str, str, list[str]]


def _zuul(zuul: Answers, expected: Mapping[str, Sequence[str]]) -> Iterator[Row]:
    """Every service that the inventory has is registered and running."""
    if not zuul["reachable"]:
        yield "Zuul", "does not answer", [f"Zuul's web server: {zuul['reason']}"]
        return
    for kind, hosts in expected.items():
        there = zuul["components"].get(kind, [])
        states = {host: _state(host, there) for host in hosts}
        wrong = [
            f"Zuul's {kind} on {host} is {state}: see journalctl -u zuul-{kind} there"
            for host, state in states.items()
            if state != "running"
        ]
        yield kind, ", ".join(f"{host} {state}" for host, state in states.items()) or "none", wrong


def _state(host: str, components: Sequence[Answers]) -> str:
    """State of a host's service: it may have made itself known with or without its domain."""
    for component in components:
        if host.split(".")[0] == component["hostname"].split(".")[0]:
            return str(component["state"])
    return "not registered"


def _tenant(tenant: Answers, limits: Mapping[str, int], now: float) -> Iterator[Row]:
    """Events, configuration, nodes and the last result."""
    name = tenant["name"]
    if not tenant["reachable"]:
        yield "tenant", f"nothing is known of {name}", [f"tenant {name}: {tenant['reason']}"]
        return
    if not tenant["loaded"]:
        fix = "see journalctl -u zuul-scheduler; an executor must be up, then operate_full_reconfigure.yml"
        yield "tenant", f"{name} is not loaded", [f"tenant {name} is not loaded: {fix}"]
        return
    since = _ago(now - tenant["last_reconfigured"])
    yield "tenant", f"{name}, loaded {since}, Zuul {tenant['zuul_version']}", []
    yield _configuration(name, tenant["config_errors"])
    yield _events(tenant["events"], limits["events"])
    pipelines = tenant["pipelines"]
    yield (
        "pipelines",
        ", ".join(_pipeline(each, now) for each in pipelines) or "none",
        [
            f"pipeline {each['name']} is in state {each['state']}: see journalctl -u zuul-scheduler"
            for each in pipelines
            if each["state"] not in (None, "normal")
        ],
    )
    yield _nodes(tenant, limits["request_seconds"], now)
    last = tenant["last_buildset"]
    if last:
        what = f"{last['result']}, {last['pipeline']} of {last['project']} {last['change'] or ''}".rstrip()
        yield "last result", f"{what}, {_ago(now - last['ended']) if last['ended'] else 'no build'}", []
    else:
        yield "last result", "none yet", []


def _configuration(name: str, errors: Sequence[Answers]) -> Row:
    wrong = [each for each in errors if each["severity"] == "error"]
    text = f"{len(wrong)} errors, {len(errors) - len(wrong)} warnings"
    problems = [
        f"{each['project']}/{each['path']} of branch {each['branch']} does not load: {each['message']}; "
        "correct it in a change"
        for each in wrong[:3]
    ]
    if len(wrong) > 3:
        problems.append(
            f"tenant {name} has {len(wrong) - 3} more errors: see Config Errors on the status page"
        )
    return "configuration", text, problems


def _events(events: Answers, limit: int) -> Row:
    waiting = {kind: events[kind] for kind in ("trigger", "management", "result")}
    waiting |= {f"of {name}": length for name, length in events["connections"].items()}
    wrong = [
        f"{length} events {kind} wait, more than {limit}: see journalctl -u zuul-scheduler"
        for kind, length in waiting.items()
        if length > limit
    ]
    if events["paused"] or events["discarding"]:
        state = "paused" if events["paused"] else "discarded"
        wrong.append(f"an operator has had events {state}: end it with zuul-client manage-events normal")
    return "events", "waiting: " + ", ".join(f"{length} {kind}" for kind, length in waiting.items()), wrong


def _pipeline(pipeline: Answers, now: float) -> str:
    oldest = f", the oldest {_ago(now - pipeline['oldest'])}" if pipeline["items"] else ""
    return f"{pipeline['name']} {pipeline['items']}{oldest}"


def _nodes(tenant: Answers, limit: int, now: float) -> Row:
    states = [node["state"] for node in tenant["nodes"]]
    counted = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    waiting = [request for request in tenant["node_requests"] if request["state"] == "requested"]
    wrong = []
    if not tenant["providers"]:
        wrong.append("there is no provider of nodes: add one in the infra repository; xenci render writes it")
    late = [each for each in waiting if each["requested"] and now - each["requested"] > limit]
    wrong += [
        f"job {each['job']} has waited {_long(now - each['requested'])} for {', '.join(each['labels'])}: "
        "see journalctl -u zuul-launcher, and the nodes on the status page"
        for each in late
    ]
    providers = f"providers {', '.join(tenant['providers'])}" if tenant["providers"] else "no provider"
    return "nodes", f"{counted or 'none'}; {len(waiting)} jobs wait; {providers}", wrong


def _hosts(hosts: Mapping[str, Sequence[str] | None], days: int) -> Iterator[Row]:
    """Services of each host, the connection to the review server and certificates."""
    wrong: list[str] = []
    ends: list[tuple[int, str]] = []
    streams: list[int] = []
    active = 0
    for host, lines in hosts.items():
        if lines is None:
            wrong.append(f"{host} can't be reached over SSH: is it up, and is its address right?")
            continue
        for words in (line.split() for line in lines):
            if words[0] == "unit" and words[2] == "active":
                active += 1
            elif words[0] == "unit":
                what = "does not answer" if words[2] == "silent" else f"is {words[2]}"
                wrong.append(f"{words[1]} on {host} {what}: see journalctl -u {words[1]} there")
            elif words[0] == "certificate":
                ends.append((int(words[2]), f"{words[1]} on {host}"))
            elif words[0] == "stream":
                streams.append(int(words[1]))
    reached = sum(1 for lines in hosts.values() if lines is not None)
    yield "hosts", f"{reached} of {len(hosts)} answer, {active} services are active", wrong
    if streams:
        fix = "is its SSH up, and is the CI's key accepted? See journalctl -u zuul-scheduler"
        lost = [] if any(streams) else [f"no scheduler is connected to the review server's SSH: {fix}"]
        yield "event stream", "connected" if any(streams) else "not connected", lost
    late = [
        f"{what} ends in {left} days: run xenci apply, which renews it" for left, what in ends if left < days
    ]
    first = min(ends, default=None)
    yield "certificates", f"the first ends in {first[0]} days: {first[1]}" if first else "none", late


def _urls(urls: Sequence[Answers]) -> Iterator[Row]:
    """Servers that have to answer over HTTPS."""
    for each in urls:
        good = each["status"] == 200
        fix = f"{each['name']} {each['url']} gives {each['status']}: {each['msg']}; is it up?"
        yield each["name"], f"{each['url']} {'answers' if good else 'does not answer'}", [] if good else [fix]


def _ago(seconds: float) -> str:
    return f"{_long(seconds)} ago"


def _long(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"healthcheck_report": healthcheck_report}
