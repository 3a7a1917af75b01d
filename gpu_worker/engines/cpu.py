"""hibari-tts: neural English speech on a CPU, 24 kHz, models of 8 MB a voice."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np
import onnxruntime
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.voices import VOICES
from onnxruntime.capi.onnxruntime_pybind11_state import Fail as Interrupted

from gpu_worker.engines.base import Capabilities, Chunk, Done, EngineLoadError, Failed, Outcome, Utterance
from gpu_worker.engines.hibari_voices import installed_voices

MODEL: Final = "hibari"

# Latin letters, digits, and the symbols that it has words for. Other scripts it would spell or skip.
_SOUNDS: Final = re.compile(r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f0-9%&@#+=°/~<>π]")
# hibari pads what it speaks on both sides.
_FEWEST_IDS: Final = 3
_NAMELESS_NUMBER: Final = re.compile(r"\d{16,}")
_WARM_UP: Final = (
    "Ready.",
    "The quick brown fox jumps over the lazy dog, and Zbigniew paid $9.99 for it at 7:30 pm.",
)
# As much at once as a piece can be, and half of it.
_LONGEST: Final = (("so it goes on, " * 18 + "and ends.", 0.75), ("so it goes on, " * 9 + "and ends.", 1.0))


class CpuEngine:
    """Every voice whose model file is on this machine, loaded and warm."""

    def __init__(self, voices: dict[str, Hibari]) -> None:
        self._voices = voices
        self._capabilities = Capabilities(
            engine="cpu",
            models=(MODEL,),
            voices=tuple(voices),
            languages=("en",),
            features=frozenset(),
            sample_rate=SAMPLE_RATE,
            speeds=(0.5, 2.0),
            max_batch=1,
        )

    @classmethod
    def load(cls, threads: int = 1) -> CpuEngine:
        """Loads the voices that are there and speaks once with each, so that first requests are quick.

        As many `threads` as will speak at once then take the memory that they need at most.
        """
        g2p_by_accent: dict[bool, object] = {}
        voices: dict[str, Hibari] = {}
        for name in installed_voices():
            british = VOICES[name]["british"]
            try:
                voice = Hibari(voice=name, threads=1, g2p=g2p_by_accent.get(british))
                voice.sess = _without_arena(voice.model_path)
                g2p_by_accent[british] = voice.g2p
                for text in _WARM_UP:
                    voice(text)
            except (OSError, RuntimeError, ValueError) as error:
                raise EngineLoadError(f"the voice {name} of hibari-tts does not load: {error}") from error
            voices[name] = voice
        engine = cls(voices)
        engine._take_memory(threads)
        return engine

    @property
    def capabilities(self) -> Capabilities:
        """See Engine."""
        return self._capabilities

    def can_speak(self, text: str) -> bool:
        """See Engine."""
        return _SOUNDS.search(text) is not None or (
            not text.isascii() and _SOUNDS.search(unicodedata.normalize("NFKC", text)) is not None
        )

    def open_session(self) -> CpuSession:
        """See Engine; sessions share the models, which any number of threads may use at once."""
        return CpuSession(self)

    def speak(self, utterance: Utterance, run_options: onnxruntime.RunOptions) -> Iterator[Chunk | None]:
        """A chunk a sentence; None at moments when one is not there yet. Ends early once terminated."""
        if not self.can_speak(utterance.text):
            return
        voice = self._voices[utterance.voice]
        noise = np.random.default_rng(utterance.seed)
        for phonemes in _phonemes(voice, utterance.text):
            ids = voice.ids(phonemes)
            if len(ids) < _FEWEST_IDS:
                continue
            inputs = {
                "ids": np.asarray([ids], np.int64),
                "speed": np.asarray([utterance.speed], np.float32),
            }
            try:
                outputs = voice.sess.run(None, inputs, run_options)
            except Interrupted:
                if run_options.terminate:
                    return
                raise
            yield None
            samples = dsp.synth(*(output[0] for output in outputs), noise)
            if len(samples):
                yield Chunk(samples)

    def _take_memory(self, threads: int) -> None:
        """Speaks the longest in as many threads: their heaps, which later threads inherit, grow no more."""
        speakers = [threading.Thread(target=self._speak_longest) for _ in range(threads)]
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join()

    def _speak_longest(self) -> None:
        for voice in list(self._voices.values())[:1]:
            for text, speed in _LONGEST:
                voice(text, speed=speed)


class CpuSession:
    """See Session: one utterance at a time, a step at most a sentence."""

    capacity = 1

    def __init__(self, engine: CpuEngine) -> None:
        self._engine = engine
        self._slots = count()
        self._speaking: dict[int, Iterator[Chunk | None]] = {}
        self._run_options: dict[int, onnxruntime.RunOptions] = {}

    def join(self, utterance: Utterance) -> int:
        """See Session."""
        slot = next(self._slots)
        self._run_options[slot] = onnxruntime.RunOptions()
        self._speaking[slot] = self._engine.speak(utterance, self._run_options[slot])
        return slot

    def step(self) -> list[tuple[int, Outcome]]:
        """See Session."""
        outcomes: list[tuple[int, Outcome]] = []
        for slot, chunks in list(self._speaking.items()):
            try:
                chunk = next(chunks)
            except StopIteration:
                outcomes.append((slot, Done()))
                self.leave(slot)
            except Exception as error:  # noqa: BLE001 - nothing of it outlasts the utterance
                outcomes.append((slot, Failed(error)))
                self.leave(slot)
            else:
                if chunk is not None:
                    outcomes.append((slot, chunk))
        return outcomes

    def leave(self, slot: int) -> None:
        """See Session."""
        self._speaking.pop(slot, None)
        self._run_options.pop(slot, None)

    def interrupt(self, slot: int) -> None:
        """See Session."""
        run_options = self._run_options.get(slot)
        if run_options is not None:
            run_options.terminate = True

    def close(self) -> None:
        """See Session."""
        self._speaking.clear()
        self._run_options.clear()


def _without_arena(model_path: str) -> onnxruntime.InferenceSession:
    """A session as hibari makes it, but that its memory is malloc's.

    onnxruntime's own arena doubles whenever texts of other lengths meet, and never gives back.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model_path, options, providers=["CPUExecutionProvider"])


def _phonemes(voice: Hibari, text: str) -> list[str]:
    """A string of phonemes a sentence."""
    try:
        phonemes: list[str] = voice.phonemize(text)
    except (ValueError, IndexError):
        # hibari trips over digits such as ⑴ and over numbers beyond those that have a name.
        plain = unicodedata.normalize("NFKC", text)
        phonemes = voice.phonemize(_NAMELESS_NUMBER.sub(lambda match: " ".join(match[0]), plain))
    return phonemes
