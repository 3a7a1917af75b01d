"""Both doors: whatever is said here of the speech API holds through each of them."""

from __future__ import annotations

import pytest

from tests.platform import Server

# What takes long and is hardly about doors: through the second it is asked in `make test-slow`.
LONG = {
    "test_bad_days.py",
    "test_cloned_voices.py",
    "test_cut.py",
    "test_formats.py",
    "test_history.py",
    "test_idempotency.py",
    "test_npm_client.py",
    "test_restrictions.py",
    "test_routing.py",
    "test_sse.py",
    "test_synthesis.py",
    "test_timestamps.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in LONG and "[django" in item.name:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", params=["lean", "django"])
def server(request: pytest.FixtureRequest) -> Server:
    """The platform behind the lean door, then behind Django's."""
    name = "lean_door" if request.param == "lean" else "django_door"
    running: Server = request.getfixturevalue(name)
    return running
