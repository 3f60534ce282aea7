"""The command `sample`: the sample company, or a simulated history whose causes are known."""

import json
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from api import clock
from api.bootstrap import open_ledger
from api.cli_exchange import load_sample, sample_texts
from api.sample.cast import MOST_REPS
from api.sample.company import DEFAULT_SEED
from api.sample.history import MOST_QUARTERS, Setting, history
from api.sample.journal import Json
from api.sample.profiles import PROFILES
from api.settings import Settings

DEFAULT: Final = Setting(PROFILES["gaming"])


class ProfileName(StrEnum):
    """What the quarter ends of a simulated history come from."""

    GAMING = "gaming"
    CUSTOMERS = "customers"
    EFFORT = "effort"
    QUIET = "quiet"


class CalendarName(StrEnum):
    """How a simulated history divides its years."""

    MONTHS = "months"
    WEEKS = "4-4-5"


def _share(text: str) -> Any:
    return typer.Option(min=0, max=1, help=f"Share of {text}.")


_Quarters = Annotated[int, typer.Option(min=1, max=MOST_QUARTERS, help="Closed quarters.")]
_Reps = Annotated[int, typer.Option(min=1, max=MOST_REPS, help="How many sell.")]
_Unrecorded = Annotated[float, _share("customers' acts that nobody records")]
_Backdated = Annotated[float, _share("bookkeeping that is dated back")]
_Imported = Annotated[float, _share("deals told by an ordinary import, in a second file")]
_Split = Annotated[float, _share("deals whose credit is split")]
_Revised = Annotated[float, _share("quotas changed within their quarter")]
_Calendar = Annotated[CalendarName, typer.Option(help="How fiscal years are divided.")]
_Seed = Annotated[int | None, typer.Option(help="Another one of the same kind.")]
_Output = Annotated[Path | None, typer.Option(help="Write the lines to a file, load nothing.")]
_Truth = Annotated[Path | None, typer.Option(help="Write what truly happened to a file.")]
_Profile = Annotated[
    ProfileName | None,
    typer.Option(help="A history whose quarter ends have this cause; the options below are its."),
]


def sample(
    *,
    seed: _Seed = None,
    output: _Output = None,
    profile: _Profile = None,
    truth: _Truth = None,
    quarters: _Quarters = DEFAULT.quarters,
    reps: _Reps = DEFAULT.reps,
    unrecorded: _Unrecorded = DEFAULT.unrecorded,
    backdated: _Backdated = DEFAULT.backdated,
    imported: _Imported = DEFAULT.imported,
    split: _Split = DEFAULT.split,
    revised: _Revised = DEFAULT.revised,
    calendar: _Calendar = CalendarName.MONTHS,
) -> None:
    """Load the sample company into an empty ledger, or write it or a history to a file."""
    if profile is None:
        _sample_company(seed, output, truth)
        return
    if output is None:
        raise typer.BadParameter("needs --output", param_hint="--profile")
    setting = Setting(
        PROFILES[profile.value],
        quarters=quarters,
        reps=reps,
        unrecorded=unrecorded,
        backdated=backdated,
        imported=imported,
        split=split,
        revised=revised,
        calendar=calendar.value,
    )
    _write_history(setting, seed=DEFAULT_SEED if seed is None else seed, to=output, truth=truth)


def _sample_company(seed: int | None, output: Path | None, truth: Path | None) -> None:
    if truth is not None:
        raise typer.BadParameter("needs --profile", param_hint="--truth")
    if output is not None:
        output.write_text("".join(sample_texts(seed)), encoding="utf-8")
        return
    with open_ledger(Settings.read()) as ledger:
        ledger.store.start()
        report = load_sample(ledger, seed=seed)
    typer.echo(f"{report.deals} deals, {report.events_made} events")


def imported_file(output: Path) -> Path:
    """Where the deals go that an ordinary import tells: beside the history."""
    return output.with_name(f"{output.stem}-imported{output.suffix}")


def _write_history(setting: Setting, *, seed: int, to: Path, truth: Path | None) -> None:
    with ExitStack() as files:

        def opened(path: Path) -> IO[str]:
            return files.enter_context(path.open("w", encoding="utf-8"))

        recorded = opened(to)
        imported = opened(imported_file(to)) if setting.imported else recorded
        true = opened(truth) if truth else None

        def witness(line: Json) -> None:
            if true:
                _write(true, line)

        for line in history(setting, now=clock.now(), seed=seed, truth=witness):
            _write(recorded if "recorded_at" in line else imported, line)


def _write(file: IO[str], line: Json) -> None:
    file.write(json.dumps(line, ensure_ascii=False) + "\n")
