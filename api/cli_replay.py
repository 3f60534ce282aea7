"""The command `replay`: a quarter as it stood, as it moved, or what differs between moments."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import typer

from api import clock
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import (
    AsOf,
    EffectiveAt,
    Json,
    UnderPolicy,
    print_changes,
    print_json,
    print_table,
)
from api.cli_quarter import (
    Answer,
    Quarter,
    Rep,
    Restate,
    Team,
    amounts,
    print_figures,
    print_pattern,
    print_pressure,
    print_restated,
    scope_of,
)
from api.moment import Moment, moment
from api.replays import ClockName, Replay
from api.restatement import restated
from api.settings import Settings
from api.what_if import published
from domain.known import Known
from projections.quarter.steps import Scope
from projections.quarter.waterfall import INFLOWS, OUTFLOWS


class View(StrEnum):
    """What of the quarter is shown."""

    QUARTER = "quarter"
    FRAMES = "frames"
    WATERFALL = "waterfall"
    DIFF = "diff"
    MOVEMENT = "movement"
    CLOSE_PATTERN = "close-pattern"
    PRESSURE = "pressure"


class ClockChoice(StrEnum):
    """The clock that it is replayed on."""

    AS_KNOWN = "as_known"
    AS_HAPPENED = "as_happened"


ViewOf = Annotated[View, typer.Option(help="What of the quarter to show.")]
Category = Annotated[
    str | None, typer.Option(help="Only deals of one forecast category, in the waterfall.")
]
From = Annotated[str | None, typer.Option("--from", help="The earlier moment of a diff.")]
To = Annotated[str | None, typer.Option("--to", help="The later moment of a diff.")]
On = Annotated[
    ClockChoice | None,
    typer.Option("--clock", help="As known then, or as it happened, as known now."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What of a quarter is asked for."""

    quarter: str
    view: View
    scope: Scope
    category: str | None
    ends: tuple[str | None, str | None]
    clock: ClockName | None

    def answer(self, ledger: Ledger, when: Moment, known: Known) -> Answer:
        """Answer in a context."""
        if self.view is View.QUARTER:
            return ledger.quarter_figures.quarter(when, self.quarter, known, self.clock)
        if self.view is View.CLOSE_PATTERN:
            return ledger.close_patterns.pattern(when, self.quarter, known, self.scope)
        if self.view is View.PRESSURE:
            return ledger.quarter_pressure.pressure(when, self.quarter, known, self.scope)
        replay = ledger.replays.replay(self.quarter, when, self.clock, known=known)
        match self.view:
            case View.FRAMES:
                return ledger.quarters.frames(replay, self.scope)
            case View.WATERFALL:
                return ledger.quarters.waterfall(replay, self.scope, self.category)
            case View.MOVEMENT:
                return ledger.quarters.movement(replay, self.scope)
            case View.DIFF:
                ends = [_end(ledger, replay, text) for text in self.ends]
                return ledger.quarters.difference(replay, *ends)


def replay(
    *,
    quarter: Quarter,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    view: ViewOf = View.QUARTER,
    rep: Rep = None,
    team: Team = None,
    category: Category = None,
    a: From = None,
    b: To = None,
    on: On = None,
    restate: Restate = False,
    policy: UnderPolicy = None,
    as_json: Json = False,
) -> None:
    """Replay a quarter: where it stood, its days, what moved it, or what differs."""
    if policy is not None and (restate or view is not View.QUARTER):
        message = "a policy goes with the view of the quarter, and not with --restate"
        raise typer.BadParameter(message, param_hint="--policy")
    asked = _Asked(
        quarter=quarter,
        view=view,
        scope=scope_of(rep, team),
        category=category,
        ends=(a, b),
        clock=on.value if on else None,
    )
    if policy is None:
        told = _told(asked, as_of, effective_at, restate=restate)
    else:
        told = _under(asked, as_of, effective_at, policy)
    if as_json:
        print_json(told)
    else:
        _print(view, told)


def _told(asked: _Asked, as_of: str | None, effective_at: str | None, *, restate: bool) -> Answer:
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        told = asked.answer(ledger, when, ledger.context.known(when.position))
        if not restate:
            return told
        position = ledger.worker.position()
        again = asked.answer(ledger, when, ledger.context.known(position))
        return restated(told, again, position=position)


def _under(asked: _Asked, as_of: str | None, effective_at: str | None, version: int) -> Answer:
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        policy = published(ledger.context.known(ledger.worker.position()), version)
        known = ledger.context.known(when.position)
        return ledger.what_ifs.quarter(when, asked.quarter, known, asked.clock, policy)


def _end(ledger: Ledger, replay: Replay, text: str | None) -> Moment | None:
    if text is None:
        return None
    known = replay.clock == "as_known" or text.startswith("position:")
    as_of, effective_at = (text, None) if known else (None, text)
    return moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())


def _print(view: View, told: Answer) -> None:
    if part := told.get("replay"):
        typer.echo(f"{told['quarter']}, {part['clock'].replace('_', ' ')}, until {part['until']}")
    _PRINTERS[view](told)
    if "what_if" in told:
        print_changes(told["what_if"])
    else:
        print_restated(told)


def _print_frames(told: Answer) -> None:
    rows = [
        [frame["day"], frame["total"]["deals"], amounts(frame["total"]["amounts"]),
         amounts(frame["booked"])]
        for frame in told["frames"]
    ]  # fmt: skip
    print_table(["day", "open deals", "amount", "booked"], rows)


def _print_waterfall(told: Answer) -> None:
    cells = [(name, told[name]) for name in ("opening", *INFLOWS, *OUTFLOWS, "closing")]
    rows = [[name, cell["deals"], amounts(cell["amounts"])] for name, cell in cells]
    print_table(["cell", "deals", "amount"], rows)


def _print_movement(told: Answer) -> None:
    counted = told["counters"].items()
    print_table(["cause", "moves"], [[cause, one["count"]] for cause, one in counted])


def _print_difference(told: Answer) -> None:
    totals = told["totals"].items()
    rows = [[what, one["deals"], amounts(one["amounts"])] for what, one in totals]
    print_table(["change", "deals", "amount"], rows)


_PRINTERS: Final[dict[View, Callable[[Answer], None]]] = {
    View.QUARTER: print_figures,
    View.FRAMES: _print_frames,
    View.WATERFALL: _print_waterfall,
    View.DIFF: _print_difference,
    View.MOVEMENT: _print_movement,
    View.CLOSE_PATTERN: print_pattern,
    View.PRESSURE: print_pressure,
}
