"""Zuul's pages and the logs in a headless browser that has been told of the site's authority."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.faults import items, proposed, running, until, voted
from xenci.demo.report import paths
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
    change = proposed(site)
    until(lambda: running(site, change))
    url = f"{site.zuul}t/{site.tenant_name}/status"
    # By Zuul's own word it was there before and after the page was drawn.
    assert f"{change.number},{change.patchset}" in until(
        lambda: page if (page := browse(url)) and items(site, change) else "", 30
    )
    voted(site, change)


def test_the_page_of_a_build_shows_result_and_log(browse: Browse, site: Site, report: dict[str, Any]) -> None:
    (build,) = report["changes"][0]["builds"]
    page = browse(f"{site.zuul}t/{site.tenant_name}/build/{build['uuid']}")
    for text in (build["job_name"], "SUCCESS", build["log_url"]):
        assert text in page
    assert "tests.txt" in browse(f"{site.zuul}t/{site.tenant_name}/build/{build['uuid']}/logs")


def test_the_log_is_text_in_a_browser(browse: Browse, site: Site, report: dict[str, Any]) -> None:
    (build,) = report["changes"][0]["builds"]
    manifest = site.get(f"{build['log_url']}zuul-manifest.json").json()
    (path,) = [path for path in paths(manifest["tree"]) if path.endswith("/tests.txt")]
    page = browse(build["log_url"] + path)
    assert "<pre" in page
    assert "command: make check" in page


def test_who_does_not_know_the_authority_sees_nothing(browse: Browse, site: Site, tmp_path: Path) -> None:
    assert '<div id="root">' in browse(site.zuul)
    assert program(tmp_path, "chromium", *OPTIONS, "--dump-dom", site.zuul) == ""
