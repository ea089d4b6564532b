#!/usr/bin/env python3
"""Check pages: each example prints what stands below it, each link leads to a file. Exit 1 and say where not."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = re.compile(r"^    \$ (.+)\n((?:    (?!\$ ).*\n)*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def wrong(page: pathlib.Path) -> "list[str]":
    """Return what is wrong on a page."""
    text = page.read_text(encoding="utf-8")
    found = [f"no file {link}" for link in LINK.findall(text) if not (page.parent / link).exists()]
    for command, shown in EXAMPLE.findall(text):
        run = subprocess.run(command, shell=True, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.stdout != re.sub("^    ", "", shown, flags=re.MULTILINE):
            found.append(f"`{command}` prints\n{run.stdout}")
    return found


def main() -> int:
    """Check the pages that are named."""
    every = {page: wrong(pathlib.Path(page)) for page in sys.argv[1:]}
    for page, found in every.items():
        print(f"{page}: {'; '.join(found) or 'right'}")
    return 1 if any(every.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
