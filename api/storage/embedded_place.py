"""Where the embedded PostgreSQL keeps its files, by a rule that gives the same answer every time.

The files lie in `<home>/postgres`: one data folder per major version, one folder for its socket,
two lock files. Root cannot run PostgreSQL, so an unprivileged account does; where that account
cannot enter the home, `<home>/postgres` is a link to a folder below `/var/lib/dealtrail-postgres`
that is named after the home.
"""

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.storage.embedded_account import (
    Account,
    EmbeddedError,
    make_folders,
    server_account,
)
from api.storage.embedded_programs import Programs, find_programs, within_reach

SHARED: Final = Path("/var/lib/dealtrail-postgres")
"""Where root keeps what the unprivileged account must reach, if that cannot be in the home."""

SOCKET_NAME: Final = ".s.PGSQL.5432"

_SOCKET_LIMIT: Final = 100
"""The shortest limit on the length of a socket's path is 104, on macOS."""

_PLAIN_PATH: Final = re.compile(r"[\w/. +~-]+", re.ASCII)
"""What libpq and the server both read as one path: no comma, no quote."""

_UNQUOTABLE: Final = re.compile(r'["$`\\\n]')
"""What a double-quoted shell word cannot hold: pg_ctl puts its paths into one."""


@dataclass(frozen=True, slots=True)
class Place:
    """The files, the programs and the account of one embedded server."""

    folder: Path
    account: Account
    programs: Programs

    @property
    def data(self) -> Path:
        return self.folder / f"pg{self.programs.major}"

    @property
    def socket_folder(self) -> Path:
        beside = self.folder / f"run{self.programs.major}"
        if _fits(beside):
            return beside
        return Path("/tmp") / f"dealtrail-{self.account.uid}-{_short_name(self.data)}"  # noqa: S108


def find_place(home: Path, *, bin_dir: Path | None) -> Place:
    """The place that belongs to a home; folders are made, data are not.

    Raises:
        EmbeddedError: if there can be none, for want of programs, of an account or of access.
    """
    folder = _existing_folder(home)
    data = None if folder is None else _newest_data(folder)
    account = server_account(data)
    if folder is None:
        folder = _new_folder(home, account)
    if not account.reaches(folder):
        raise EmbeddedError(f"{account.name} cannot enter {folder}; choose another DEALTRAIL_HOME")
    major = None if data is None or bin_dir is not None else int(data.name.removeprefix("pg"))
    programs = find_programs(bin_dir=bin_dir, major=major)
    place = Place(folder, account, within_reach(programs, account=account, copies=SHARED))
    for path in (place.data, place.programs.folder):
        if (odd := _UNQUOTABLE.search(str(path))) is not None:
            raise EmbeddedError(f"PostgreSQL cannot be started with {odd.group()} in {path}")
    return place


def _existing_folder(home: Path) -> Path | None:
    link = home / "postgres"
    if link.is_symlink() and not link.exists():
        raise EmbeddedError(
            f"{link} points to {link.readlink()}, which is gone: bring the data back, "
            "or remove the link to begin with an empty ledger"
        )
    return link.resolve() if link.exists() else None


def _newest_data(folder: Path) -> Path | None:
    found = [path for path in folder.glob("pg[0-9]*") if re.fullmatch(r"pg\d+", path.name)]
    return max(found, key=lambda path: int(path.name[2:]), default=None)


def _new_folder(home: Path, account: Account) -> Path:
    as_root = account.uid != os.geteuid()
    mode = 0o711 if as_root else 0o700  # root's account must pass through, not look around
    make_folders(home, mode=mode)
    home = home.resolve()
    folder = home / "postgres"
    if not as_root or (account.reaches(home) and _fits(folder / "run00")):
        make_folders(folder, mode=mode)
        return folder
    target = SHARED / _short_name(home)
    make_folders(target, mode=mode)
    with suppress(FileExistsError):  # somebody else was first, by the same rule
        folder.symlink_to(target)
    return target


def _fits(socket_folder: Path) -> bool:
    path = str(socket_folder / SOCKET_NAME)
    return len(path) <= _SOCKET_LIMIT and _PLAIN_PATH.fullmatch(path) is not None


def _short_name(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]
