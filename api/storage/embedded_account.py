"""The operating-system account that runs the embedded PostgreSQL, and what it may touch."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

UNPRIVILEGED: Final = ("postgres", "nobody")
"""The accounts that root steps down to, best first: PostgreSQL refuses to run as root."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as: ourselves, or, if we are root, somebody without privileges."""

    uid: int
    gid: int
    name: str

    def run(self, *command: str | Path, timeout: float = 180.0) -> tuple[int, str]:
        """Exit code and output of a program that runs as this account and knows nothing of us."""
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"}
        # A file and not a pipe: a server that stays keeps its output open, and us reading.
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            try:
                code = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    env=environment,
                    umask=0o077,
                    timeout=timeout,
                    check=False,
                    **self._step_down(),
                ).returncode
            except (OSError, subprocess.SubprocessError) as error:
                raise EmbeddedError(
                    f"cannot run {command[0]} as {self.name}: {error}; set DATABASE_URL instead"
                ) from error
            output.seek(0)
            return code, output.read()

    def reaches(self, path: Path) -> bool:
        """Whether this account may enter a folder, or run a file."""
        return self.run("/bin/sh", "-c", 'test -x "$0"', path)[0] == 0

    def make_private(self, folder: Path) -> None:
        """Makes a folder that only this account may enter, or refuses one that is not like that."""
        try:
            folder.mkdir(mode=0o700)
            os.chown(folder, self.uid, self.gid)
        except FileExistsError:
            pass
        found = folder.lstat()
        if not folder.is_dir() or folder.is_symlink() or found.st_uid != self.uid:
            raise EmbeddedError(f"{folder} must be a folder that belongs to {self.name}")
        if found.st_mode & 0o077:
            raise EmbeddedError(f"{folder} must be closed to other accounts (chmod 700)")

    def _step_down(self) -> "_Identity":
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}


class _Identity(TypedDict, total=False):
    """What `subprocess` needs to run a program as somebody else."""

    user: int
    group: int
    extra_groups: Sequence[int]


def make_folders(folder: Path, *, mode: int) -> None:
    """Makes a folder and those above it with this mode, whatever the umask; keeps what exists."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with suppress(FileExistsError):
            missing.mkdir()
            missing.chmod(mode)


def ourselves() -> Account:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"user {uid}"
    return Account(uid, os.getegid(), name)


def server_account(data: Path | None) -> Account:
    """Ourselves; for root the owner of the data that exist, else the first unprivileged account."""
    if os.geteuid() != 0:
        return ourselves()
    if data is not None:
        return _account(pwd.getpwuid(data.stat().st_uid))
    for name in UNPRIVILEGED:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedError(
        "PostgreSQL does not run as root and there is no account postgres or nobody; "
        "set DATABASE_URL, or start as an ordinary user"
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
