"""Arguments that several commands have."""

from __future__ import annotations

import argparse


def inventory(parser: argparse.ArgumentParser) -> None:
    """Add `-i`, which may be given again, as for Ansible."""
    parser.add_argument(
        "-i",
        "--inventory",
        action="append",
        required=True,
        metavar="INV",
        help="inventory; may be given again",
    )
