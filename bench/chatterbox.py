"""`python -m bench.chatterbox`: our Chatterbox beside upstream's, on this machine, full size, random weights.

In one process and by turns: tokens drawn with one, four and eight requests of different lengths and voices;
first audio of a text beside upstream's whole answer; whole requests eight at once beside upstream's one
after another; in a process of its own, memory after many requests to a tiny checkpoint. Ratios count, times
are this machine's. Runs in the environment of `make test-chatterbox`, or on a GPU in one that has
requirements/worker-gpu.txt (`--device cuda`); writes a checkpoint of 3.3 GB into a temporary folder. The last
line is JSON; the exit status is 0 whatever it says.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.facts import facts
from bench.report import last_line, say, table
from gpu_worker.config import usable_cores
from gpu_worker.engines.base import Chunk, Done, Failed, Utterance
from gpu_worker.engines.chatterbox.conditionals import Voice, voice_of
from gpu_worker.engines.chatterbox.kinds import CLASSIC
from gpu_worker.engines.chatterbox.loading import load
from gpu_worker.engines.chatterbox.model import Model
from gpu_worker.engines.chatterbox.session import ChatterboxSession
from gpu_worker.engines.chatterbox.tokens import TokenBatch, TokenOrder
from tests.chatterbox import tiny
from tests.chatterbox.upstream import Upstream
from tests.chatterbox.voices import reference

CHECKOUT = Path(__file__).resolve().parent.parent
BATCHES = (1, 4, 8)
TEXT = "The harbour was quiet that morning, and the boats lay still, waiting for a wind that did not come. "
TOKENS_A_SECOND = 25
PARTS = ("memory", "decode", "first", "whole")


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    torch.set_num_threads(usable_cores())
    figures: dict[str, object] = {}
    if "memory" in options.parts:
        figures["memory"] = _memory()
    if set(options.parts) - {"memory"}:
        figures |= _beside_upstream(options)
    about |= {"torch": torch.__version__, "device": options.device}
    last_line({"bench": "chatterbox", **about, **figures})
    return 0


def _memory() -> dict[str, object]:
    """In a process in which upstream's classes are small."""
    say("Two hundred requests to a tiny checkpoint")
    path = os.pathsep.join([str(CHECKOUT / "tests/chatterbox/small"), str(CHECKOUT)])
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.chatterbox_memory"],
        env=os.environ | {"PYTHONPATH": path},
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, object] = json.loads(ran.stdout)
    print(f"  {figures}", flush=True)
    return figures


def _beside_upstream(options: argparse.Namespace) -> dict[str, object]:
    device = options.device
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        say("Writing a checkpoint of full size")
        tiny.write(Path(folder), CLASSIC.name)
        say("Loading it twice: upstream's, and ours")
        theirs = Upstream(load(CLASSIC, Path(folder), device=device))
        model = BoundedModel(CLASSIC, load(CLASSIC, Path(folder), device=device), dtype=torch.float32)
    figures: dict[str, object] = {}
    with torch.inference_mode():
        if "decode" in options.parts:
            figures["decode"] = _decode(theirs, model, options)
        if "first" in options.parts:
            figures["first_audio"] = _first_audio(theirs, model, options)
        if "whole" in options.parts:
            figures["whole"] = _whole(theirs, model, options)
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.chatterbox", description="Chatterbox, ours and upstream's."
    )
    parser.add_argument("--steps", type=int, default=12, help="tokens behind each figure of a round (12)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of decoding (3)")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the text that is spoken (10)")
    parser.add_argument(
        "--references", type=float, nargs="+", default=[10.0, 5.0], help="of voices, in seconds"
    )
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    return parser


def _decode(theirs: Upstream, model: BoundedModel, options: argparse.Namespace) -> dict[str, float]:
    """Tokens a second of all requests together, as a multiple of upstream's one request."""
    say("Drawing tokens by turns")
    voices = [voice_of(model._upstream, reference(100 + 20 * number)) for number in range(max(BATCHES))]
    seconds: dict[str, list[float]] = {"upstream": [], **{str(size): [] for size in BATCHES}}
    for _ in range(options.rounds):
        seconds["upstream"] += _their_steps(theirs, options.steps)
        for size in BATCHES:
            seconds[str(size)] += _our_steps(model, voices[:size], options.steps)
    mark = median(seconds["upstream"])
    sizes = {"upstream": 1} | {str(size): size for size in BATCHES}
    gains = {name: sizes[name] * mark / median(took) for name, took in seconds.items()}
    rows = [(name, median(seconds[name]), gains[name]) for name in seconds]
    table("T3, a step of all requests in the batch", ("requests", "s", "tokens, times upstream's"), rows)
    return {name: round(gain, 2) for name, gain in gains.items() if name != "upstream"}


def _their_steps(theirs: Upstream, count: int) -> list[float]:
    """Upstream's own loop; its time over a token more, by its own clock of logits."""
    took: list[float] = []
    t3 = theirs.model.t3
    original = t3.speech_pos_emb.get_fixed_embedding
    last = [0.0]

    def noted(place: Any) -> Any:
        now = time.perf_counter()
        if last[0]:
            took.append(now - last[0])
        last[0] = now
        return original(place)

    t3.speech_pos_emb.get_fixed_embedding = noted
    try:
        theirs.tokens(_text_tokens(theirs), seed=1, most=count + 2, **_SAMPLING)
    finally:
        del t3.speech_pos_emb.get_fixed_embedding
    return took[1:]


_SAMPLING = {"temperature": 0.8, "cfg_weight": 0.5, "repetition_penalty": 1.2, "min_p": 0.05, "top_p": 1.0}


def _text_tokens(theirs: Upstream) -> list[int]:
    hp = theirs.model.t3.hp
    return [hp.start_text_token, *theirs.model.tokenizer.encode(TEXT), hp.stop_text_token]


def _our_steps(model: BoundedModel, voices: list[Voice], count: int) -> list[float]:
    """A batch of texts of different lengths."""
    batch = TokenBatch(model.t3, len(voices))
    for number, voice in enumerate(voices):
        said = _utterance(TEXT[: len(TEXT) - 6 * number], seed=number)
        order = model.order(said, voice)
        assert order is not None
        batch.join(order)
    took = []
    for _ in range(count):
        started_at = time.perf_counter()
        batch.step()
        took.append(time.perf_counter() - started_at)
    return took[1:]


def _first_audio(theirs: Upstream, model: BoundedModel, options: argparse.Namespace) -> dict[str, object]:
    """How much earlier the first audio is there than upstream's whole answer."""
    figures: dict[str, object] = {}
    for seconds in options.references:
        say(f"A text of {options.seconds:g} s with a voice of {seconds:g} s")
        voice = voice_of(model._upstream, reference(150, 12), flow_seconds=seconds)
        whole = _timed(partial(_upstream_answer, theirs, voice, options.seconds))
        flow_before = model.flow.frames_worked
        first, through = _speak(model, [voice], options.seconds, early=True)
        streamed = model.flow.frames_worked - flow_before
        prompt = voice.flow_mel.shape[1]
        plain = prompt + 2 * round(TOKENS_A_SECOND * options.seconds)
        figures[f"reference_{seconds:g}s"] = {
            "upstream_whole_s": round(whole, 1),
            "first_audio_s": round(first, 1),
            "through_s": round(through, 1),
            "earlier": round(whole / first, 2),
            "flow_work": round(streamed / plain, 2),
        }
        print(f"  {figures[f'reference_{seconds:g}s']}", flush=True)
    return figures


def _whole(theirs: Upstream, model: BoundedModel, options: argparse.Namespace) -> dict[str, float]:
    """Eight at once beside one after another, of which upstream does one here."""
    say("Eight whole requests at once")
    voices = [voice_of(model._upstream, reference(100 + 20 * number, 12)) for number in range(max(BATCHES))]
    one = _timed(partial(_upstream_answer, theirs, voices[0], options.seconds))
    before = dict(model.stages.seconds)
    _, through = _speak(model, voices, options.seconds, early=False)
    spent = {stage: took - before.get(stage, 0.0) for stage, took in model.stages.seconds.items()}
    return {
        "times_upstream": round(len(voices) * one / through, 2),
        "upstream_one_s": round(one, 1),
        "ours_eight_s": round(through, 1),
        "flow_share": round(spent["flow"] / sum(spent.values()), 2),
    }


def _upstream_answer(theirs: Upstream, voice: Voice, seconds: float) -> None:
    """What its `generate` does for so long a text; its own has a fixed bound, which random weights reach."""
    model = theirs.model
    tokens = theirs.tokens(_text_tokens(theirs), seed=1, most=round(TOKENS_A_SECOND * seconds), **_SAMPLING)
    device = voice.flow_tokens.device
    speech = torch.tensor([token if token < 6561 else 0 for token in tokens], device=device)
    flow = {
        "prompt_token": voice.flow_tokens,
        "prompt_token_len": torch.tensor([voice.flow_tokens.shape[1]], device=device),
        "prompt_feat": voice.flow_mel,
        "prompt_feat_len": None,
        "embedding": voice.x_vector,
    }
    samples, _ = model.s3gen.inference(speech_tokens=speech, ref_dict=flow)
    model.watermarker.apply_watermark(samples.squeeze(0).cpu().numpy(), sample_rate=model.sr)


class BoundedModel(Model):
    """Ends a text after so many tokens, which random weights do not, with voices that it is given."""

    max_tokens = 1000
    voices_to_come: list[Voice]

    def voice(self, utterance: Utterance) -> Voice:
        """The next one."""
        return self.voices_to_come.pop(0)

    def order(self, utterance: Utterance, voice: Voice) -> TokenOrder | None:
        """See Model."""
        order = super().order(utterance, voice)
        return None if order is None else replace(order, max_tokens=self.max_tokens)


def _speak(model: BoundedModel, voices: list[Voice], seconds: float, *, early: bool) -> tuple[float, float]:
    """Seconds until the first audio of any, and until all are through."""
    gc.collect()
    model.max_tokens, model.voices_to_come = round(TOKENS_A_SECOND * seconds), list(voices)
    session = ChatterboxSession(model, max(2, len(voices)))
    started_at, first, done = time.perf_counter(), 0.0, 0
    try:
        for number in range(len(voices)):
            session.join(_utterance(TEXT, seed=number, early=early))
        while done < len(voices):
            for _, outcome in session.step():
                if isinstance(outcome, Failed):
                    raise outcome.error
                if isinstance(outcome, Chunk) and np.any(outcome.samples) and not first:
                    first = time.perf_counter() - started_at
                done += isinstance(outcome, Done)
    finally:
        session.close()
    return first, time.perf_counter() - started_at


def _utterance(text: str, *, seed: int, early: bool = False) -> Utterance:
    return Utterance(
        text=text,
        model=CLASSIC.name,
        voice="default",
        language="en",
        speed=1.0,
        seed=seed,
        goes_out_early=early,
    )


def _timed(work: Callable[[], None]) -> float:
    started_at = time.perf_counter()
    work()
    return time.perf_counter() - started_at


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
