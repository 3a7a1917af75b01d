"""Tiny checkpoints of random weights that upstream's own loading code reads.

`python -m tests.chatterbox.tiny FOLDER KIND` writes one, KIND being chatterbox, chatterbox-turbo or
chatterbox-multilingual. Sizes are no options of upstream's classes: whoever loads such a checkpoint calls
`shrink` first, or has `tests/chatterbox/small` on its PYTHONPATH, which does.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

WIDTH, LAYERS, HEADS = 64, 3, 2
MAX_TEXT, MAX_SPEECH = 512, 1100
CLASSIC, TURBO, MULTILINGUAL = "chatterbox", "chatterbox-turbo", "chatterbox-multilingual"
KINDS = (CLASSIC, TURBO, MULTILINGUAL)
TAGS = ("laugh", "chuckle", "cough", "sigh", "gasp", "groan", "sniff", "shush", "clear throat")


def shrink(*, width: int = WIDTH, layers: int = LAYERS, heads: int = HEADS) -> None:
    """Makes upstream's classes small, in this process, once."""
    import chatterbox.models.s3gen.s3gen as s3gen

    if getattr(s3gen, "_is_small", False):
        return
    s3gen._is_small = True
    _shrink_t3(width, layers, heads)
    _shrink_s3gen(s3gen, width)


def _shrink_t3(width: int, layers: int, heads: int) -> None:
    import chatterbox.models.t3.inference.alignment_stream_analyzer as analyzer
    import chatterbox.models.t3.llama_configs as configs
    import chatterbox.models.t3.modules.cond_enc as cond_enc
    from chatterbox.models.t3.modules.t3_config import T3Config

    analyzer.LLAMA_ALIGNED_HEADS[:] = [(layers - 1, 0), (layers - 1, heads - 1), (layers - 2, 0)]
    configs.LLAMA_CONFIGS["Llama_520M"].update(
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=width // heads,
    )
    configs.LLAMA_CONFIGS["GPT2_medium"].update(
        n_embd=width, hidden_size=width, n_head=heads, n_layer=layers, n_positions=2048, n_ctx=2048
    )
    cond_enc.Perceiver = functools.partial(
        cond_enc.Perceiver, pre_attention_query_size=width, embedding_dim=width
    )
    make = T3Config.__init__

    def made_small(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.max_text_tokens, self.max_speech_tokens = MAX_TEXT, MAX_SPEECH

    T3Config.__init__ = made_small


def _shrink_s3gen(s3gen: Any, width: int) -> None:
    import chatterbox.models.s3gen.transformer.upsample_encoder as encoder
    import s3tokenizer.model_v2 as tokenizer

    encoder.PreLookaheadLayer = _with(encoder.PreLookaheadLayer, channels=width)
    encoder.Upsample1D = _with(encoder.Upsample1D, channels=width, out_channels=width)
    s3gen.UpsampleConformerEncoder = _with(
        s3gen.UpsampleConformerEncoder,
        num_blocks=1,
        linear_units=64,
        input_size=width,
        output_size=width,
        attention_heads=2,
    )
    s3gen.ConditionalDecoder = _with(
        s3gen.ConditionalDecoder,
        channels=[32],
        n_blocks=1,
        num_mid_blocks=1,
        num_heads=2,
        attention_head_dim=16,
    )
    s3gen.CausalMaskedDiffWithXvec = _with(s3gen.CausalMaskedDiffWithXvec, input_size=width)
    s3gen.HiFTGenerator = _with(s3gen.HiFTGenerator, base_channels=32)
    s3gen.ConvRNNF0Predictor = _with(s3gen.ConvRNNF0Predictor, cond_channels=16)
    s3gen.CAMPPlus = _with(s3gen.CAMPPlus, growth_rate=4, init_channels=16, bn_size=2)
    make = tokenizer.S3TokenizerV2.__init__

    def made_small(self: Any, name: str, config: Any = None) -> None:
        make(self, name, tokenizer.ModelConfig(n_audio_state=width, n_audio_head=1, n_audio_layer=1))

    tokenizer.S3TokenizerV2.__init__ = made_small


def _with(cls: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: cls(*args, **kwargs | fixed)


def write(folder: Path, kind: str, *, seed: int = 0) -> Path:
    """All files of a checkpoint, as upstream publishes them. What is written depends on the seed alone."""
    from chatterbox.models.s3gen import S3Gen
    from chatterbox.models.t3 import T3
    from chatterbox.models.voice_encoder import VoiceEncoder

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        voice_encoder, t3, s3gen = VoiceEncoder(), T3(_config(kind)), S3Gen(meanflow=kind == TURBO)
    _say_something(t3)
    _sound_like_something(s3gen)
    if kind == MULTILINGUAL:
        torch.save(voice_encoder.state_dict(), folder / "ve.pt")
        torch.save(s3gen.state_dict(), folder / "s3gen.pt")
        _save(t3, folder / "t3_mtl23ls_v2.safetensors")
        _write_tokenizer(folder / "grapheme_mtl_merged_expanded_v1.json", 2454)
    else:
        _save(voice_encoder, folder / "ve.safetensors")
        turbo = kind == TURBO
        _save(t3, folder / ("t3_turbo_v1.safetensors" if turbo else "t3_cfg.safetensors"))
        _save(s3gen, folder / ("s3gen_meanflow.safetensors" if turbo else "s3gen.safetensors"))
        if turbo:
            _write_turbo_tokenizer(folder)
        else:
            _write_tokenizer(folder / "tokenizer.json", 704)
    _write_voice(folder / "conds.pt", prompt=375 if kind == TURBO else 150)
    return folder


def _config(kind: str) -> Any:
    from chatterbox.models.t3.modules.t3_config import T3Config

    if kind == MULTILINGUAL:
        return T3Config.multilingual()
    if kind == CLASSIC:
        return T3Config.english_only()
    config = T3Config(text_tokens_dict_size=50276)
    config.llama_config_name = "GPT2_medium"
    config.speech_tokens_dict_size = 6563
    config.input_pos_emb = None
    config.speech_cond_prompt_len = 375
    config.use_perceiver_resampler = False
    config.emotion_adv = False
    return config


def _say_something(t3: Any) -> None:
    """Random weights as they come hear next to nothing of what was said before: louder, they do."""
    with torch.no_grad():
        for name, weight in t3.tfmr.named_parameters():
            if weight.dim() > 1 and "wte" not in name and "wpe" not in name:
                weight.mul_(4)
        t3.speech_head.weight.mul_(4)
        # What was said last is likely to be said again.
        t3.speech_head.weight[:6561].add_(0.13 * t3.speech_emb.weight[:6561])
        if t3.cond_enc.emotion_adv_fc is not None:
            t3.cond_enc.emotion_adv_fc.weight.mul_(20)


def _sound_like_something(s3gen: Any) -> None:
    """Without this the pitch is never over the threshold of voice, and the vocoder's last layer hums."""
    with torch.no_grad():
        s3gen.mel2wav.f0_predictor.classifier.weight.mul_(200)
        s3gen.mel2wav.f0_predictor.classifier.bias.fill_(150)


def _save(module: Any, file: Path) -> None:
    save_file(
        {name: weight.detach().clone().contiguous() for name, weight in module.state_dict().items()}, file
    )


def _write_tokenizer(file: Path, size: int) -> None:
    """Letters and signs, as many ids as the model has, START and STOP where it wants them."""
    from tokenizers import Tokenizer, models

    vocabulary = {"[STOP]": 0, "[UNK]": 1, "[SPACE]": 2}
    letters = "!\"'(),-.?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789[]äöüßéñ"
    for letter in letters:
        vocabulary[letter] = len(vocabulary)
    languages = [f"[{tag}]" for tag in ("en", "de", "fr", "es", "ja", "ko", "zh")] if size > 704 else []
    for tag in languages:
        vocabulary[tag] = len(vocabulary)
    while len(vocabulary) < 255:
        vocabulary[f"<{len(vocabulary)}>"] = len(vocabulary)
    vocabulary["[START]"] = 255
    while len(vocabulary) < size:
        vocabulary[f"<{len(vocabulary)}>"] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[STOP]", "[UNK]", "[SPACE]", "[START]", *languages])
    tokenizer.save(str(file))


def _write_turbo_tokenizer(folder: Path, size: int = 50276) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: place for place, letter in enumerate(letters)}
    while len(vocabulary) < size - len(TAGS) - 1:
        vocabulary[f"<{len(vocabulary)}>"] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, unk_token=end, bos_token=end)
    fast.add_tokens([f"[{tag}]" for tag in TAGS])
    fast.save_pretrained(folder)


def _write_voice(file: Path, *, prompt: int, flow_tokens: int = 125) -> None:
    random = torch.Generator().manual_seed(1)
    speaker = torch.nn.functional.normalize(torch.rand(1, 256, generator=random), dim=1)
    t3 = {
        "speaker_emb": speaker,
        "clap_emb": None,
        "cond_prompt_speech_tokens": torch.randint(0, 6561, (1, prompt), generator=random),
        "cond_prompt_speech_emb": None,
        "emotion_adv": 0.5 * torch.ones(1, 1, 1),
    }
    flow = {
        "prompt_token": torch.randint(0, 6561, (1, flow_tokens), generator=random),
        "prompt_token_len": torch.tensor([flow_tokens]),
        "prompt_feat": torch.randn(1, 2 * flow_tokens, 80, generator=random) * 2 - 5,
        "prompt_feat_len": None,
        "embedding": torch.randn(1, 192, generator=random),
    }
    torch.save({"t3": t3, "gen": flow}, file)


if __name__ == "__main__":
    shrink()
    write(Path(sys.argv[1]), sys.argv[2])
