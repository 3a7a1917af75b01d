"""Loaded once, when first needed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from apps.contributions.quality.models import Once, package_file


def test_threads_share_one() -> None:
    made: list[object] = []

    def make() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    once, got = Once(make), []
    threads = [threading.Thread(target=lambda: got.append(once())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert got == made * 8


def test_what_failed_is_tried_again() -> None:
    answers = iter([OSError("not yet"), None])

    def make() -> str:
        if error := next(answers):
            raise error
        return "made"

    once = Once(make)
    with pytest.raises(OSError, match="not yet"):
        once()
    assert once() == "made"


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"requirements/quality\.txt"):
        package_file("no_such_package")


def test_neither_django_nor_a_model_comes_with_the_import() -> None:
    code = (
        "import sys, apps.contributions.quality as quality; "
        "print(sorted({'django', 'faster_whisper', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
