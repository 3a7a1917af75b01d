"""Checkpoints written once a session, and models that upstream and we load from them."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch

from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.kinds import KINDS
from gpu_worker.engines.chatterbox.loading import load
from tests.chatterbox import tiny
from tests.chatterbox.upstream import Upstream

tiny.shrink()
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each kind."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return {kind: tiny.write(folder / kind, kind) for kind in tiny.KINDS}


@pytest.fixture(scope="session", params=tiny.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def upstreams(checkpoints: dict[str, Path]) -> dict[str, Upstream]:
    """Upstream's models as it loads and uses them."""
    return {kind: Upstream(load(KINDS[kind], checkpoints[kind], device="cpu")) for kind in tiny.KINDS}


@pytest.fixture(scope="session")
def engines(checkpoints: dict[str, Path]) -> dict[str, ChatterboxEngine]:
    """Ours, with room for eight."""
    return {kind: ChatterboxEngine.load(kind, checkpoints[kind], max_batch=8) for kind in tiny.KINDS}


@pytest.fixture
def upstream(upstreams: dict[str, Upstream], kind: str) -> Upstream:
    return upstreams[kind]


@pytest.fixture
def engine(engines: dict[str, ChatterboxEngine], kind: str) -> ChatterboxEngine:
    return engines[kind]
