"""Fixtures and rules for all tests; the services they talk to are started by `tests.services`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NO_CHROMIUM = "no Chromium on this machine (apt-get install chromium)"
_LONGEST_FOLDER = 40
_IN_CI = os.environ.get("CI") == "true"


def find_chromium() -> str | None:
    """The browser that browser tests drive: CHROMIUM, or the first one on the PATH."""
    chosen = os.environ.get("CHROMIUM")
    return chosen or next(filter(None, map(shutil.which, _CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Path of the browser; tests that ask for it carry the mark `browser`."""
    path = find_chromium()
    assert path is not None, _NO_CHROMIUM
    with pytest.MonkeyPatch.context() as environment:
        # It keeps a socket in its profile, and addresses of sockets are short.
        if len(tempfile.gettempdir()) > _LONGEST_FOLDER:
            environment.setenv("TMPDIR", "/tmp")
        yield path


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and find_chromium() is None:
        if _IN_CI:
            pytest.fail(_NO_CHROMIUM, pytrace=False)
        pytest.skip(_NO_CHROMIUM)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    tests = sorted({report.nodeid for report in skipped if _NO_CHROMIUM in str(report.longrepr)})
    if tests:
        terminalreporter.section("BROWSER TESTS WERE NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(f"{_NO_CHROMIUM}; skipped:")
        for test in tests:
            terminalreporter.line(f"  {test}")
