"""The three models: what each is made of, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LANGUAGES: Final = (
    "en", "ar", "da", "de", "el", "es", "fi", "fr", "he", "hi", "it", "ja", "ko", "ms", "nl", "no", "pl",
    "pt", "ru", "sv", "sw", "tr", "zh",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a row's tokens are drawn. `top_k` and `min_p` 0 and `top_p` 1 leave all of them in."""

    temperature: float
    repetition_penalty: float
    min_p: float
    top_p: float
    top_k: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A model under the name that it has as an engine.

    `files` must be there; `patterns` is what is fetched from the hub. `t3_file` and `s3gen_file` hold the
    weights. The defaults of `sampling`, `guidance` and `exaggeration` are upstream's.
    """

    name: str
    module: str
    upstream: str
    repository: str
    files: tuple[str, ...]
    t3_file: str
    s3gen_file: str
    languages: tuple[str, ...]
    performs_tags: bool
    sampling: Sampling
    guidance: float
    exaggeration: float
    patterns: tuple[str, ...] = ()
    silence_tokens: int = 0


CLASSIC: Final = Kind(
    name="chatterbox",
    module="chatterbox.tts",
    upstream="ChatterboxTTS",
    repository="ResembleAI/chatterbox",
    files=("ve.safetensors", "t3_cfg.safetensors", "s3gen.safetensors", "tokenizer.json"),
    t3_file="t3_cfg.safetensors",
    s3gen_file="s3gen.safetensors",
    languages=("en",),
    performs_tags=False,
    sampling=Sampling(temperature=0.8, repetition_penalty=1.2, min_p=0.05, top_p=1.0),
    guidance=0.5,
    exaggeration=0.5,
    patterns=("ve.safetensors", "t3_cfg.safetensors", "s3gen.safetensors", "tokenizer.json", "conds.pt"),
)
TURBO: Final = Kind(
    name="chatterbox-turbo",
    module="chatterbox.tts_turbo",
    upstream="ChatterboxTurboTTS",
    repository="ResembleAI/chatterbox-turbo",
    files=(
        "ve.safetensors",
        "t3_turbo_v1.safetensors",
        "s3gen_meanflow.safetensors",
        "tokenizer_config.json",
    ),
    t3_file="t3_turbo_v1.safetensors",
    s3gen_file="s3gen_meanflow.safetensors",
    languages=("en",),
    performs_tags=True,
    sampling=Sampling(temperature=0.8, repetition_penalty=1.2, min_p=0.0, top_p=0.95, top_k=1000),
    guidance=0.0,
    exaggeration=0.0,
    patterns=("*.safetensors", "*.json", "*.txt", "*.pt", "*.model"),
    silence_tokens=3,
)
MULTILINGUAL: Final = Kind(
    name="chatterbox-multilingual",
    module="chatterbox.mtl_tts",
    upstream="ChatterboxMultilingualTTS",
    repository="ResembleAI/chatterbox",
    files=("ve.pt", "t3_mtl23ls_v2.safetensors", "s3gen.pt", "grapheme_mtl_merged_expanded_v1.json"),
    t3_file="t3_mtl23ls_v2.safetensors",
    s3gen_file="s3gen.pt",
    languages=_LANGUAGES,
    performs_tags=False,
    sampling=Sampling(temperature=0.8, repetition_penalty=2.0, min_p=0.05, top_p=1.0),
    guidance=0.5,
    exaggeration=0.5,
    patterns=(
        "ve.pt",
        "t3_mtl23ls_v2.safetensors",
        "s3gen.pt",
        "grapheme_mtl_merged_expanded_v1.json",
        "conds.pt",
        "Cangjie5_TC.json",
    ),
)
KINDS: Final = {kind.name: kind for kind in (CLASSIC, TURBO, MULTILINGUAL)}
