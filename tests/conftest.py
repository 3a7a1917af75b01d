"""Fixtures and rules for all tests; the services they talk to are started by `tests.services`."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator

import pytest

from apps.core import ids
from tests.emptying import empty_instead_of_flushing

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NO_CHROMIUM = "no Chromium on this machine (apt-get install chromium)"
_NO_NODE = "no Node.js with npm on this machine (apt-get install nodejs npm)"
_LONGEST_FOLDER = 40
# In an environment of their own: `make test-chatterbox`.
collect_ignore = ["chatterbox"]
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


def find_npm() -> str | None:
    """The npm that installs what tests of other clients run, where there is a Node.js beside it."""
    return shutil.which("npm") if shutil.which("node") else None


# What tests of a mark need, and what is said where it is missing.
_NEEDS = {"browser": (find_chromium, _NO_CHROMIUM), "node": (find_npm, _NO_NODE)}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """pytest-django's, with what follows a test that does not roll back."""
    empty_instead_of_flushing()


@pytest.fixture(autouse=True)
def ids_of_the_present() -> Iterator[None]:
    """Ids never run backwards: a test that travelled to the future would leave all others there."""
    yield
    if ids._last_ms > time.time() * 1000 + 1000:
        ids._last_ms = 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark, (find, missing) in _NEEDS.items():
        if item.get_closest_marker(mark) and find() is None:
            if _IN_CI:
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    for mark, (_, missing) in _NEEDS.items():
        tests = sorted({report.nodeid for report in skipped if missing in str(report.longrepr)})
        if tests:
            terminalreporter.section(f"{mark.upper()} TESTS WERE NOT RUN", sep="!", red=True, bold=True)
            terminalreporter.line(f"{missing}; skipped:")
            for test in tests:
                terminalreporter.line(f"  {test}")
