"""What a manager's first page shows: what changed, and where the progress of deals is hollow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.reads import Answer
from api.web.workings import Workings, of_overview

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "wins": ("Won", "star"),
    "losses": ("Lost", "cross"),
    "moves": ("Stage moves", "flag"),
    "pushes": ("Pushed out", "arrow"),
    "pull_ins": ("Pulled in", "arrow"),
    "discounts": ("Discounts offered", "triangle"),
    "pressure_shaped": ("Pressure-shaped", "dot"),
    "broken_commitments": ("Commitments broken", "diamond"),
    "taken_back": ("Reopened or reversed", "dot"),
    "opened": ("Opened", "dot"),
}
SELDOM: Final = frozenset({"taken_back", "opened"})
HOT: Final = frozenset({"pressure_shaped"})
MAX_ROWS: Final = 40
"""Changes of a kind that are told on the page; of more only their number."""
MAX_OPEN: Final = 16
"""Changes that are seen at first; the kinds with more of them are folded to their number."""
MAX_DEALS: Final = 8
"""Hollow deals that are seen at first; the others are folded."""
MAX_NAMED: Final = 3
"""Accounts by which a folded kind is known."""
MAX_BEADS: Final = 24
SPANS: Final = ((1, "1 day"), (7, "7 days"), (30, "30 days"))


@dataclass(frozen=True, slots=True)
class Row:
    """One change: of which deal, what, by whom, and the way to its event."""

    deal_id: str
    event_id: str
    account: str
    name: str
    what: str
    detail: str
    who: str
    at: Any


@dataclass(frozen=True, slots=True)
class Kind:
    """The changes of one kind: `whose` are some of their accounts, `left_out` have no row here."""

    key: str
    name: str
    glyph: str
    count: int
    rows: tuple[Row, ...]
    left_out: int
    hot: bool
    whose: str
    open: bool = False

    @property
    def silent(self) -> bool:
        """Whether no count of it is shown, since there is none of what is seldom asked about."""
        return not self.count and self.key in SELDOM


@dataclass(frozen=True, slots=True)
class Share:
    """How much of some activities is checkbox-only: in words, and as a bar in per cent."""

    name: str
    text: str
    percent: float
    deals: str = ""
    link: str = ""
    beads: tuple[str, ...] = ()
    beads_left_out: int = 0


@dataclass(frozen=True, slots=True)
class HomePage:
    """The first page, ready for its template."""

    as_of: AsOf
    since: Any
    quiet_since: Any
    spans: tuple[tuple[str, str, bool], ...]
    complete: bool
    kinds: tuple[Kind, ...]
    figure: int | None
    headline: str
    stages: tuple[Share, ...]
    reps: tuple[Share, ...]
    deals: tuple[Share, ...]
    other_deals: tuple[Share, ...]
    deals_left_out: int
    workings: Workings

    @property
    def since_text(self) -> str:
        return _text(f.instant(self.since))

    @property
    def figure_text(self) -> str:
        return self.headline if self.figure is None else f"{self.figure:,} {self.headline}"


def quiet(answer: Answer) -> bool:
    """Say whether an overview tells of no change at all."""
    return answer["complete"] and not any(answer["changes"].values())


def week_before(answer: Answer) -> str:
    """Give the instant a week before the moment of an overview."""
    return _text(f.instant(answer["effective_at"]) - timedelta(days=7))


def home_page(
    answer: Answer, *, asked: tuple[str | None, str | None], quiet_since: Any = None
) -> HomePage:
    """The page for an overview; since `quiet_since`, which is later, nothing has changed."""
    hollow, as_of = answer["hollow"], as_of_view(answer, asked=asked)
    kinds = tuple(_kind(key, answer["changes"][key], answer["names"]) for key in KINDS)
    settled = hollow["settled"]
    deals = tuple(_deal(one) for one in hollow["deals"])
    return HomePage(
        as_of=as_of,
        since=answer["since"],
        quiet_since=quiet_since,
        spans=_spans(answer),
        complete=answer["complete"],
        kinds=_opened(kinds),
        figure=hollow["hollow"] if settled else None,
        headline=f"of {f.count(settled, 'settled activity', 'settled activities')} of open deals"
        " are checkbox-only"
        if settled
        else "No activity of an open deal has settled yet",
        stages=tuple(_share(one["name"], one) for one in hollow["stages"]),
        reps=tuple(
            _share(answer["names"].get(one["rep"], one["rep"]), one, link=one["rep"])
            for one in hollow["reps"]
        ),
        deals=deals[:MAX_DEALS],
        other_deals=deals[MAX_DEALS:],
        deals_left_out=hollow["deals_with"] - len(hollow["deals"]),
        workings=of_overview(answer),
    )


def _kind(key: str, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Kind:
    name, glyph = KINDS[key]
    shown = tuple(_row(key, row, names) for row in rows[:MAX_ROWS])
    whose = list(dict.fromkeys(row["account"] for row in rows))
    named = ", ".join(whose[:MAX_NAMED])
    others = f" and {len(whose) - MAX_NAMED:,} more" if len(whose) > MAX_NAMED else ""
    return Kind(
        key, name, glyph, len(rows), shown, len(rows) - len(shown), key in HOT, named + others
    )


def _opened(kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """Open the kinds that are seen at first: what is rare says most and takes least."""
    seen, opened = 0, set[str]()
    for kind in sorted(kinds, key=lambda kind: kind.count):
        seen += len(kind.rows)
        if seen <= MAX_OPEN:
            opened.add(kind.key)
    return tuple(replace(kind, open=kind.key in opened) for kind in kinds)


def _row(key: str, row: Mapping[str, Any], names: Mapping[str, str]) -> Row:
    what = "" if key == "opened" else f.event_words(row["title"], names)
    if "to_stage" in row:
        what = f"{row['from_stage']} to {row['to_stage']}"
    elif "side" in row:
        what = f"{'Customer' if row['side'] == 'customer' else 'We'}: {what}"
    due = f"due {f.day(row['due'])}" if row.get("due") else ""
    return Row(
        deal_id=row["deal_id"],
        event_id=row["event_id"],
        account=row["account"],
        name=f.short_name(row["deal"], row["account"]),
        what=what,
        detail=due or f.event_words(row["detail"] or "", names),
        who=names.get(row["rep"], row["rep"]),
        at=row["recorded_at"],
    )


def _share(name: str, told: Mapping[str, Any], *, link: str = "") -> Share:
    hollow, settled = told["hollow"], told["settled"]
    return Share(
        name=name,
        text=f"{hollow:,} of {settled:,}",
        percent=round(100 * hollow / settled, 1) if settled else 0.0,
        deals=f"{told['deals_with']:,} of {told['deals']:,}",
        link=link,
    )


def _deal(told: Mapping[str, Any]) -> Share:
    hollow, settled = told["hollow"], told["settled"]
    beads = ("filled",) * (settled - hollow) + ("hollow",) * hollow
    return Share(
        name=told["account"],
        text=f"{hollow:,} of {settled:,}",
        percent=round(100 * hollow / settled, 1),
        deals=f.short_name(told["deal"], told["account"]),
        link=told["deal_id"],
        beads=beads[-MAX_BEADS:],
        beads_left_out=max(0, len(beads) - MAX_BEADS),
    )


def _spans(answer: Answer) -> tuple[tuple[str, str, bool], ...]:
    """Give where the changes may begin instead, in words, and which of it is shown."""
    end, since = f.instant(answer["effective_at"]), f.instant(answer["since"])
    return tuple(
        (
            _text(end - timedelta(days=days)),
            name,
            abs(end - timedelta(days=days) - since) < timedelta(hours=1),
        )
        for days, name in SPANS
    )


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
