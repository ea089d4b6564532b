#!/usr/bin/env python3
"""Run the tests, without those that SKIP_TESTS names (as Class.test, separated by spaces), which are listed as skipped."""

import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def tests(suite: unittest.TestSuite) -> "list[unittest.TestCase]":
    """Return the tests of nested suites."""
    found = []
    for item in suite:
        found += tests(item) if isinstance(item, unittest.TestSuite) else [item]
    return found


def main() -> int:
    """Run and return 1 on a failure, 2 where a name to skip is not a test."""
    skipped = set(os.environ.get("SKIP_TESTS", "").split())
    every = tests(unittest.defaultTestLoader.discover(str(ROOT / "tests")))
    names = {".".join(test.id().split(".")[-2:]): test for test in every}
    if skipped - set(names):
        print(f"SKIP_TESTS names no test: {' '.join(sorted(skipped - set(names)))}", file=sys.stderr)
        return 2
    for name in sorted(skipped):
        print(f"skipped by SKIP_TESTS: {name}", file=sys.stderr)
    suite = unittest.TestSuite(test for name, test in names.items() if name not in skipped)
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
