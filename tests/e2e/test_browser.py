"""Zuul's pages and the logs in a headless browser that has been told of the site's authority."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import review
from tests.e2e.faults import running, until
from tests.e2e.reading import log
from xenci.demo.site import Site

Browse = Callable[[str], str]
# Root may not use the sandbox; the pages are our own.
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def program(home: Path, *words: str) -> str:
    """Run a program with a home of its own, and return what it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout


@pytest.fixture(scope="module")
def browse(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """A function that opens a URL, lets the page's scripts come to rest, and returns its HTML."""
    home = tmp_path_factory.mktemp("browser")
    # Where Chromium looks for authorities beside its own.
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    program(home, "certutil", "-d", f"sql:{database}", "-N", "--empty-password")
    trust = ("-A", "-t", "C,,", "-n", "site", "-i", site.authority)
    program(home, "certutil", "-d", f"sql:{database}", *trust)
    return lambda url: program(home, "chromium", *OPTIONS, "--virtual-time-budget=10000", "--dump-dom", url)


def test_the_status_page_shows_the_running_item(browse: Browse, site: Site) -> None:
    # Time enough to draw two pages.
    files = {"tests/test_long.py": "import time\n\ntime.sleep(20)\n"}
    change = review.propose(site, "hypervisor-tools", files)
    build = until(lambda: running(site, change))
    status = f"{site.zuul}t/{site.tenant_name}/status"
    assert f"/t/{site.tenant_name}/status/pipeline/check" in browse(status)
    page = browse(f"{status}/pipeline/check")
    assert running(site, change) == build
    for text in (change.name, "hypervisor-tools-tests", build):
        assert text in page
    assert review.result(site, change) == "SUCCESS"


def test_the_page_of_a_build_shows_result_and_log(browse: Browse, site: Site, report: dict[str, Any]) -> None:
    (build,) = report["changes"][0]["builds"]
    page = browse(f"{site.zuul}t/{site.tenant_name}/build/{build['uuid']}")
    # The last two come from the log server: the log's files, and the tasks that were run.
    for text in (
        build["job_name"],
        "SUCCESS",
        build["log_url"],
        "job-output.txt",
        "run_tests: Run the tests",
    ):
        assert text in page


def test_the_log_is_text_in_a_browser(browse: Browse, site: Site, report: dict[str, Any]) -> None:
    (build,) = report["changes"][0]["builds"]
    page = browse(log(site, build, "tests.txt").url)
    assert "<pre" in page
    assert "command: make check" in page


def test_who_does_not_know_the_authority_sees_nothing(browse: Browse, site: Site, tmp_path: Path) -> None:
    assert '<div id="root">' in browse(site.zuul)
    assert program(tmp_path, "chromium", *OPTIONS, "--dump-dom", site.zuul) == ""
