"""A checkpoint, loaded by upstream's own classes and looked over before anybody speaks with it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch

from gpu_worker.engines.base import EngineLoadError
from gpu_worker.engines.chatterbox.hub import fetched, shortened
from gpu_worker.engines.chatterbox.kinds import MULTILINGUAL, Kind

_CANGJIE: Final = "Cangjie5_TC.json"


def load(kind: Kind, folder: Path | None, *, device: str) -> Any:
    """Upstream's model, of which nobody calls `generate`. Raises EngineLoadError in words of what is wrong.

    Without a folder its files come from the hub (HF_TOKEN, HF_HOME).
    """
    _require_watermarker()
    folder = folder or fetched(kind)
    missing = [name for name in kind.files if not (folder / name).is_file()]
    if missing:
        raise EngineLoadError(
            f"{folder} has no {', '.join(missing)}; {kind.name} needs {', '.join(kind.files)}"
        )
    try:
        upstream = getattr(importlib.import_module(kind.module), kind.upstream)
        with _quiet(), _nothing_from_outside(folder):
            model = upstream.from_local(folder, device)
    except Exception as error:
        raise EngineLoadError(f"{folder} does not load as {kind.name}: {shortened(error)}") from error
    _require_all_weights(model, folder / kind.s3gen_file)
    if model.watermarker is None:
        raise EngineLoadError("the watermarker is missing: no audio may leave unmarked")
    return model


def offered_languages(kind: Kind, model: Any) -> tuple[str, ...]:
    """Without those whose letters this machine cannot turn into what the model reads."""
    if kind is not MULTILINGUAL:
        return kind.languages
    lacking = set()
    if not (model.tokenizer.cangjie_converter.word2cj and model.tokenizer.cangjie_converter.segmenter):
        lacking.add("zh")
    if importlib.util.find_spec("pykakasi") is None:
        lacking.add("ja")
    return tuple(language for language in kind.languages if language not in lacking)


def _require_watermarker() -> None:
    """It swallows why it is not there: setuptools from 81 on has no `pkg_resources`, which it imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import perth
        except ImportError as error:
            raise EngineLoadError(
                f"{error.name} is not installed; see requirements/worker-gpu.txt"
            ) from error
    if perth.PerthImplicitWatermarker is None:
        raise EngineLoadError(
            "Perth's watermarker does not import (it needs pkg_resources, which setuptools has before 81):"
            " no audio may leave unmarked"
        )


def _require_all_weights(model: Any, file: Path) -> None:
    """Upstream's classic class takes an S3Gen in which weights are missing, and speaks noise then."""
    there = _names_in(file)
    if there is None:
        return  # a pickle, which upstream reads strictly
    if lacking := sorted({name for name, _ in model.s3gen.named_parameters()} - there):
        raise EngineLoadError(f"{file} lacks {len(lacking)} weights, {lacking[0]} the first of them")


def _names_in(file: Path) -> set[str] | None:
    """What a safetensors file holds, by its header."""
    if file.suffix != ".safetensors":
        return None
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        return set(json.loads(opened.read(length))) - {"__metadata__"}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Its libraries warn of each other, and print."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        disabled = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)


@contextlib.contextmanager
def _nothing_from_outside(folder: Path) -> Iterator[None]:
    """The multilingual tokenizer fetches a table and a segmenter's model as it is made.

    The table lies beside the weights, or Chinese is not offered. The segmenter, whose failure upstream does
    not catch, is made once it was seen to work.
    """
    from chatterbox.models.tokenizers import tokenizer

    def local(*, filename: str, **_: object) -> str:
        if not (folder / filename).is_file():
            raise FileNotFoundError(f"{folder} has no {filename}")
        return str(folder / filename)

    def segmenter(self: Any) -> None:
        self.segmenter = None
        if (folder / _CANGJIE).is_file():
            with contextlib.suppress(Exception):
                from spacy_pkuseg import pkuseg

                self.segmenter = pkuseg()

    converter = tokenizer.ChineseCangjieConverter
    fetch, init = tokenizer.hf_hub_download, converter._init_segmenter
    tokenizer.hf_hub_download, converter._init_segmenter = local, segmenter
    try:
        yield
    finally:
        tokenizer.hf_hub_download, converter._init_segmenter = fetch, init


def chosen_device() -> str:
    """Where it runs: a GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
