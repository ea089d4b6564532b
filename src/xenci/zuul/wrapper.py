"""`xenci-zuul SERVICE …`: Zuul's own programs, with own drivers registered and unknown SSH host keys refused.

Every service that reads the same zuul.conf must be started this way, else a connection of an own driver is
"Unknown driver" to it. What follows SERVICE goes to Zuul unchanged. `wait` and `reconfigure` are ours.
"""

from __future__ import annotations

import sys

from xenci.zuul import drivers, executor_stop, host_keys, registration, state, static_nodes

PROGRAMS = {
    "scheduler": "zuul.cmd.scheduler",
    "executor": "zuul.cmd.executor",
    "launcher": "zuul.cmd.launcher",
    "web": "zuul.cmd.web",
    "merger": "zuul.cmd.merger",
    "admin": "zuul.cmd.client",
}
OWN = {"wait": state.wait_main, "reconfigure": state.reconfigure_main}
USAGE = f"usage: xenci-zuul {{{','.join([*PROGRAMS, *OWN])}}} ...\n"


def main(argv: list[str] | None = None) -> int:
    """Run one of Zuul's programs, or a command of ours. Returns the exit status, 2 for a foreign Zuul."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] not in {**PROGRAMS, **OWN}:
        sys.stderr.write(USAGE)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    name, rest = arguments[0], arguments[1:]
    if name in OWN:
        return OWN[name](rest)
    try:
        program = registration.lookup(PROGRAMS[name], "main")
        registration.register(drivers.DRIVERS)
        host_keys.apply(name)
        if name == "executor":
            executor_stop.apply()
        if name == "launcher":
            static_nodes.apply()
    except registration.MovedError as error:
        sys.stderr.write(f"xenci-zuul: {error}\n")
        return 2
    # Zuul's programs read sys.argv themselves and name themselves after it.
    sys.argv = [f"zuul-{name}", *rest]
    return int(program() or 0)


if __name__ == "__main__":
    sys.exit(main())
