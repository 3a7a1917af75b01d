"""`python -m apps.core.embedded.clean VAR_DIR`: removes what running the platform has made.

Standard library only, so that it works before and after the virtual environment exists.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from .layout import remove_area
from .lock import FolderLock, LockHeldError


def clean(var_dir: Path) -> list[Path]:
    """Removes `var_dir`, the folders of test runs in it, and their parts in the temporary area.

    Raises `LockHeldError` while something runs there.
    """
    removed: list[Path] = []
    if not var_dir.is_dir():
        return remove_area(var_dir)
    owners = [*sorted((var_dir / "test").glob("*")), var_dir]
    with ExitStack() as locks:
        for folder in owners:
            for name in ("run.lock", "services.lock"):
                locks.callback(FolderLock.acquire(folder / name, note="make clean").release)
        for folder in owners:
            removed += remove_area(folder)
        shutil.rmtree(var_dir)
    return [*removed, var_dir]


def main() -> int:
    try:
        removed = clean(Path(sys.argv[1]).resolve())
    except LockHeldError as error:
        sys.stderr.write(f"Still running: {error} Stop it first.\n")
        return 1
    for path in removed:
        sys.stdout.write(f"removed {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
