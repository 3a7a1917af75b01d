"""`python -m tests.contributions.releasing.maker RELEASE FILES`: makes a release, as a Celery process does.

Without FILES to its end. With it, so many files are stored, and amid the next one the process is killed.
Where media lie and which database it is are told by the environment.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings  # noqa: E402

from apps.contributions.releasing import making  # noqa: E402
from apps.core.media.local import PrivateFiles  # noqa: E402


class DyingFiles(PrivateFiles):
    left = 0

    def _save(self, name: str, content: Any) -> str:
        saved = super()._save(name, content)
        if DyingFiles.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        DyingFiles.left -= 1
        return saved


def main() -> None:
    release_id = UUID(sys.argv[1])
    if len(sys.argv) > 2:
        DyingFiles.left = int(sys.argv[2])
        options = settings.STORAGES["default"]["OPTIONS"]
        settings.STORAGES["default"] = {"BACKEND": f"{__name__}.DyingFiles", "OPTIONS": options}
    while making.make(release_id):
        pass


if __name__ == "__main__":
    main()
