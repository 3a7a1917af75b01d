"""OUTBOUND_ALLOWED_NETWORKS: nothing unless the operator says so, but for a development machine."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from voiceflow.runner.configuration import load
from voiceflow.settings.environment import ConfigurationError, read_environment

NAME = "OUTBOUND_ALLOWED_NETWORKS"


def read(raw: str) -> Any:
    return read_environment({"VOICEFLOW_ENV": "development", NAME: raw})[NAME]


def test_it_is_empty_by_default() -> None:
    assert read("") == []


def test_networks_and_single_addresses() -> None:
    assert read("10.1.0.0/16, fd00:1::/32,,192.168.1.7") == [
        ip_network("10.1.0.0/16"),
        ip_network("fd00:1::/32"),
        ip_network("192.168.1.7/32"),
    ]


@pytest.mark.parametrize("raw", ["localhost", "10.1.2.3/16", "10.0.0.0/33", "10.0.0.0/8 ::1", "127.1"])
def test_what_is_no_network_stops_the_start_with_one_line(raw: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(f"::1,{raw}")
    assert str(caught.value) == f"{NAME} must be networks like 10.1.0.0/16, and {raw!r} is not one."


def test_make_run_allows_this_machine(tmp_path: Path) -> None:
    environ = load({"VOICEFLOW_ENV": "test"}, tmp_path).environ
    assert read(environ[NAME]) == [ip_network("127.0.0.0/8"), ip_network("::1/128")]


def test_but_not_in_production_and_not_against_what_the_operator_says(tmp_path: Path) -> None:
    assert NAME not in load({"VOICEFLOW_ENV": "production"}, tmp_path).environ
    said = {"VOICEFLOW_ENV": "test", NAME: "10.0.0.0/8"}
    assert load(said, tmp_path).environ[NAME] == "10.0.0.0/8"
