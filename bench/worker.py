"""`python -m bench.worker`: the speech worker alone, asked for framed streams as the platform asks.

Prints first audio, real-time factor, throughput and the time outside the engine with one, four and sixteen
clients, with the engine called directly as the mark; what 200 clients cost that stream at once; how soon the
engine serves others once clients leave; and the worker's memory after many requests. The last line is JSON;
the exit status is 0 whatever the figures say.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from bench import leaving, speaking, streaming
from bench.child import Child
from bench.errors import BenchError
from bench.facts import facts
from bench.figures import memory_mb, rounded
from bench.generator import LoadGenerator
from bench.report import last_line, say, table
from bench.stage import CHECKOUT, Running, Stage, on_stage
from gpu_worker.config import usable_cores

MAX_GROWTH = 0.05
_MEMORY_CLIENTS = 4
_MEMORY_FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac")


@dataclass(frozen=True)
class Memory:
    """What of the worker lies in memory, in MB, after a tenth of so many requests and after all of them."""

    requests: int
    after_tenth_mb: float
    after_all_mb: float

    @property
    def growth(self) -> float:
        """As a share of the first figure."""
        return self.after_all_mb / self.after_tenth_mb - 1


@dataclass(frozen=True)
class Figures:
    first: speaking.FirstAudio
    loads: dict[str, list[speaking.Load]]
    memory: Memory
    leaving: leaving.Leaving
    streams: streaming.Streaming

    def verdicts(self) -> dict[str, bool]:
        """Against the numbers that the worker is held to."""
        outside = {name: max(load.outside_engine for load in loads) for name, loads in self.loads.items()}
        return {
            **{
                f"outside_engine_at_most_15_percent_{name}": share <= speaking.MAX_OUTSIDE
                for name, share in outside.items()
            },
            "first_audio_added_at_most_25_ms": self.first.added_p50_ms <= speaking.MAX_ADDED_FIRST_AUDIO_MS,
            "left_slot_serves_within_200_ms": self.leaving.next_max_ms <= leaving.MAX_RELEASE_MS,
            "streams_without_error": self.streams.errors == 0,
            "event_loop_never_blocked_over_50_ms": self.streams.blocked == 0,
            "memory_within_5_percent": self.memory.growth <= MAX_GROWTH,
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "first_audio": rounded(asdict(self.first)),
            "loads": {name: [rounded(asdict(load)) for load in rows] for name, rows in self.loads.items()},
            "memory": rounded({**asdict(self.memory), "growth": self.memory.growth}),
            "leaving": rounded(asdict(self.leaving)),
            "streaming": rounded(asdict(self.streams)),
            "verdicts": self.verdicts(),
        }


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        figures = _measured(options)
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130
    _print_tables(figures)
    last_line({"bench": "worker", **about, "threads": options.threads, **figures.to_json()})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.worker", description="Speed of the worker alone.")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each number of clients (6)")
    parser.add_argument("--pairs", type=int, default=30, help="of single requests and direct calls (30)")
    parser.add_argument("--requests", type=int, default=1000, help="for the look at its memory (1000)")
    parser.add_argument("--leave", type=int, default=20, help="times, as clients that leave early (20)")
    parser.add_argument("--streams", type=int, default=2, help="of each of 200 clients (2)")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="of the engine (as cores)")
    return parser


def _measured(options: argparse.Namespace) -> Figures:
    with ExitStack() as stack:
        stage = stack.enter_context(on_stage())
        generator = stack.enter_context(LoadGenerator(CHECKOUT))
        engine = stack.enter_context(Child(CHECKOUT, "bench.engine"))
        say("Starting the worker")
        worker = stage.start_cpu_worker(threads=options.threads)
        two_sentences = speaking.target(worker, speaking.TWO_SENTENCES)
        stage.wait_until(worker.name, lambda: generator.answers(two_sentences))
        memory = _memory(generator, worker, options.requests)
        say(f"Asking {options.pairs} times, and the engine directly")
        first = speaking.measure_first_audio(generator, engine, worker, pairs=options.pairs)
        texts = {"two_sentences": speaking.TWO_SENTENCES, "passage": speaking.PASSAGE}
        loads: dict[str, list[speaking.Load]] = {name: [] for name in texts}
        for name, text in texts.items():
            for clients in speaking.CLIENTS:
                say(f"Asking for {name.replace('_', ' ')} with {clients} at once")
                load = speaking.measure_load(
                    *(generator, engine, worker, text),
                    clients=clients,
                    threads=options.threads,
                    seconds=options.seconds,
                )
                loads[name].append(load)
        say(f"Leaving {options.leave} times in the middle of a long text")
        left = leaving.measure(worker, threads=options.threads, times=options.leave)
        return Figures(first, loads, memory, left, _streams(stage, generator, options.streams))


def _memory(generator: LoadGenerator, worker: Running, requests: int) -> Memory:
    say(f"Asking {requests} times for texts of all lengths, to see its memory")
    target = speaking.target(worker, speaking.TWO_SENTENCES)
    mixed = _mixed(requests)
    tenth = requests // 10
    generator.play(target, clients=_MEMORY_CLIENTS, requests=tenth, variations=mixed[:tenth])
    after_tenth_mb = memory_mb(worker.pid)
    generator.play(target, clients=_MEMORY_CLIENTS, requests=requests - tenth, variations=mixed[tenth:])
    return Memory(requests, after_tenth_mb, memory_mb(worker.pid))


def _mixed(requests: int) -> list[dict[str, object]]:
    """One to five sentences of 5 to 280 characters, short ones more often, at any pace, in most formats."""
    chance = random.Random(1)
    words = speaking.PASSAGE.split()
    mixed: list[dict[str, object]] = []
    for _ in range(requests):
        count = chance.choice((1, 1, 1, 2, 3, 5))
        lengths = [int(5 * 56 ** chance.random() / count**0.5) for _ in range(count)]
        text = " ".join(f"{' '.join(chance.choices(words, k=1 + length // 5))}." for length in lengths)
        speed = round(chance.uniform(0.5, 2.0), 2)
        mixed.append({"text": text, "speed": speed, "format": chance.choice(_MEMORY_FORMATS)})
    return mixed


def _streams(stage: Stage, generator: LoadGenerator, requests_each: int) -> streaming.Streaming:
    say(f"Streaming to {streaming.CLIENTS} at once from the tone engine")
    worker = stage.start_tone_worker(batch=streaming.CLIENTS, real_time_factor=1.0)
    target = speaking.target(worker, "Ready.")
    stage.wait_until(worker.name, lambda: generator.answers(target))
    return streaming.measure(generator, worker, requests_each=requests_each)


def _print_tables(figures: Figures) -> None:
    speaking.print_tables(figures.first, dict(figures.loads))
    memory = figures.memory
    row = (memory.requests, memory.after_tenth_mb, memory.after_all_mb, 100 * memory.growth)
    table("Memory of the worker, MB", ("requests", "after a tenth", "after all", "growth, %"), [row])
    leaving.print_table(figures.leaving)
    streaming.print_table(figures.streams)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
