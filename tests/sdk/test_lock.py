"""What the clients of tests are pinned by."""

from __future__ import annotations

import json

from tests.sdk.node_programs import SOURCES


def test_the_lock_pins_by_hash_and_names_no_host() -> None:
    text = (SOURCES / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert packages.pop("")["dependencies"]
    assert all(package["version"] and package["integrity"] for package in packages.values())
