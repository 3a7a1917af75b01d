"""A checkpoint that is not right is refused at the start, in words that say what is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gpu_worker.engines.base import EngineLoadError
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.kinds import KINDS
from tests.chatterbox import tiny
from tests.chatterbox.speaking import hear_alone, utterance


@pytest.fixture
def copy(checkpoints: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    def copied(kind: str) -> Path:
        return shutil.copytree(checkpoints[kind], tmp_path / kind)

    return copied


def change_weights(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    weights = load_file(file)
    change(weights)
    save_file(weights, file)


@pytest.mark.parametrize("number", range(4))
def test_a_missing_file_is_named(copy: Callable[[str], Path], kind: str, number: int) -> None:
    folder = copy(kind)
    name = KINDS[kind].files[number]
    (folder / name).unlink()
    with pytest.raises(EngineLoadError, match=rf"has no {name}; {kind} needs"):
        ChatterboxEngine.load(kind, folder)


def test_weights_of_another_size_are_refused(copy: Callable[[str], Path], kind: str) -> None:
    folder = copy(kind)

    def smaller(weights: dict[str, Any]) -> None:
        weights["speech_head.weight"] = weights["speech_head.weight"][:, :32].contiguous()

    change_weights(folder / KINDS[kind].t3_file, smaller)
    with pytest.raises(EngineLoadError, match=r"does not load as .*size mismatch for speech_head.weight"):
        ChatterboxEngine.load(kind, folder)


def test_weights_that_upstream_would_do_without_are_missed(copy: Callable[[str], Path]) -> None:
    folder = copy(tiny.CLASSIC)
    change_weights(folder / "s3gen.safetensors", lambda weights: weights.pop("flow.encoder_proj.weight"))
    with pytest.raises(EngineLoadError, match=r"lacks 1 weights, flow.encoder_proj.weight"):
        ChatterboxEngine.load(tiny.CLASSIC, folder)


def test_a_file_that_is_cut_off_is_refused(copy: Callable[[str], Path], kind: str) -> None:
    folder = copy(kind)
    file = folder / KINDS[kind].t3_file
    file.write_bytes(file.read_bytes()[:10_000])
    with pytest.raises(EngineLoadError, match="does not load as"):
        ChatterboxEngine.load(kind, folder)


def test_weights_that_make_no_sound_are_noticed(copy: Callable[[str], Path]) -> None:
    folder = copy(tiny.CLASSIC)

    def broken(weights: dict[str, Any]) -> None:
        weights["flow.encoder_proj.bias"].fill_(torch.nan)

    change_weights(folder / "s3gen.safetensors", broken)
    with pytest.raises(EngineLoadError, match="its first words"):
        ChatterboxEngine.load(tiny.CLASSIC, folder)


def test_without_a_watermarker_nothing_loads(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """As with setuptools from 81 on, where Perth finds no `pkg_resources` and says nothing."""
    (tmp_path / "pkg_resources.py").write_text("raise ImportError('gone')\n")
    script = (
        "import sys; from pathlib import Path\n"
        "from gpu_worker.engines.chatterbox.engine import ChatterboxEngine\n"
        "ChatterboxEngine.load('chatterbox', Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(checkpoints[tiny.CLASSIC])],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "EngineLoadError" in done.stderr
    assert "no audio may leave unmarked" in done.stderr


def test_a_checkpoint_without_a_voice_speaks_with_recordings_alone(copy: Callable[[str], Path]) -> None:
    folder = copy(tiny.CLASSIC)
    (folder / "conds.pt").unlink()
    engine = ChatterboxEngine.load(tiny.CLASSIC, folder, max_batch=1)
    assert engine.capabilities.voices == ()


def test_chinese_is_offered_only_with_its_table(engines: dict[str, ChatterboxEngine]) -> None:
    languages = engines[tiny.MULTILINGUAL].capabilities.languages
    assert "zh" not in languages
    assert {"en", "de", "ja", "ko"} <= set(languages)
    assert languages[0] == "en"


def test_what_a_model_can_do_is_said(engine: ChatterboxEngine, kind: str) -> None:
    offers = engine.capabilities
    assert (offers.engine, offers.models, offers.voices) == (kind, (kind,), ("default",))
    assert offers.features == ({"clone", "tags"} if kind == tiny.TURBO else {"clone"})
    assert offers.sample_rate == 24_000


def test_room_is_made_by_memory(checkpoints: dict[str, Path]) -> None:
    engine = ChatterboxEngine.load(tiny.CLASSIC, checkpoints[tiny.CLASSIC])
    assert 1 <= engine.capabilities.max_batch <= 8


def test_multilingual_leaves_no_hooks(engines: dict[str, ChatterboxEngine]) -> None:
    """Upstream adds three to its layers with each request, for good."""
    engine = engines[tiny.MULTILINGUAL]
    modules = list(engine._model._upstream.t3.modules())
    before = sum(len(module._forward_hooks) for module in modules)
    for seed in range(3):
        hear_alone(engine, utterance("Oh!", seed=seed))
    assert sum(len(module._forward_hooks) for module in modules) == before == 0


def test_a_hub_that_has_nothing_says_so(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "gpu_worker.fetch_model",
        tiny.CLASSIC,
        str(tmp_path / "to"),
    ]
    environ = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ResembleAI/chatterbox cannot be fetched from the hub")
