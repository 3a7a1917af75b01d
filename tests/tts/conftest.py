"""Both doors: whatever is said here of the speech API holds through each of them."""

from __future__ import annotations

import pytest

from tests.platform import Server


@pytest.fixture(scope="session", params=["lean", "django"])
def server(request: pytest.FixtureRequest) -> Server:
    """The platform behind the lean door, then behind Django's."""
    name = "lean_door" if request.param == "lean" else "django_door"
    running: Server = request.getfixturevalue(name)
    return running
