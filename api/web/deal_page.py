"""Everything the deal page shows, made from the application's answer about one deal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.chart import Chart, draw_chart
from api.web.deal_chart import Entry, chart_data, entries_of
from api.web.findings import (
    Finding,
    MoneyLine,
    Reason,
    StageActivities,
    activities_of,
    checkbox_finding,
    money_of,
    pressure_finding,
    reasons_of,
)
from api.web.learned import Lessons, lessons_of
from api.web.ledger_rows import LedgerRow, ledger_of, numbers_of, titles_of
from api.web.patterns import patterns_of
from api.web.reads import Answer
from api.web.review_panel import ReviewPanel, review_panel
from api.web.said import Said, said_of
from api.web.scrubber import Scrubber, scrubber_of
from api.web.vocabulary import KINDS, SHAPED, STATUSES
from api.web.workings import Workings, of_deal

ZOOMS: Final = (1, 2, 4)
CLOSED: Final = {"won": "Won", "lost": "Lost", "disqualified": "Disqualified"}


@dataclass(frozen=True, slots=True)
class DealPage:
    """The deal page, ready for its template."""

    deal: Mapping[str, Any]
    stage: str
    as_of: AsOf
    scrubber: Scrubber
    checkbox: Finding
    beads: tuple[str, ...]
    pressure: Finding
    shaped: tuple[tuple[str, str], ...]
    coverage: str
    exposure: str
    led: str
    chart: Chart
    ledger: tuple[LedgerRow, ...]
    shown_ids: frozenset[str]
    judged: tuple[Reason, ...]
    candidates: tuple[tuple[Reason, ...], tuple[Reason, ...]]
    activities: tuple[StageActivities, ...]
    lessons: Lessons
    money: tuple[MoneyLine, ...]
    said: tuple[Said, ...]
    review: ReviewPanel
    positions: Mapping[str, int]
    numbers: dict[str, int]
    workings: Workings

    @property
    def untold(self) -> bool:
        """Whether the pressure on the owner is not the reader's to know."""
        return "pressure_shaped" not in self.workings

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """The kinds that are on the chart, in a fixed order."""
        present = {mark.moment.glyph for mark in self.chart.marks} - {"circle"}
        return tuple((glyph, name) for glyph, name in KINDS.items() if glyph in present)

    @property
    def events(self) -> int:
        """How many events of the deal were known."""
        return len(self.positions)

    @property
    def patterns(self) -> tuple[Reason, ...]:
        """The patterns over several events that hold."""
        return self.candidates[0]

    @property
    def other_patterns(self) -> tuple[Reason, ...]:
        """What was looked at as a pattern, and does not hold."""
        return self.candidates[1]

    @property
    def ledger_left_out(self) -> int:
        """How many rows of the ledger are not shown."""
        return self.events - len(self.ledger)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why events are marked."""
        return tuple(reason for reason in self.judged if reason.number is not None)

    @property
    def other_reasons(self) -> tuple[Reason, ...]:
        """What was judged, and is not marked."""
        return tuple(reason for reason in self.judged if reason.number is None)

    @property
    def recorded(self) -> tuple[Entry, ...]:
        """The events that a form has just recorded, in the order of the ledger."""
        return tuple(row.entry for row in self.ledger if row.new)


def deal_page(
    answer: Answer,
    *,
    asked: tuple[str | None, str | None],
    everything: bool,
    zoom: int,
    recorded: Sequence[str] = (),
) -> DealPage:
    """The page for what was asked (`as_of`, `effective_at`), with all of the ledger if wanted."""
    progress, pressure, deal = answer["progress"], answer["pressure"], answer["deal"]
    entries = entries_of(answer)
    numbers, titles = numbers_of(entries), titles_of(entries)
    as_of = as_of_view(answer, asked=asked)
    ledger = ledger_of(answer, entries, numbers, everything=everything, recorded=recorded)
    return DealPage(
        deal=deal,
        stage=CLOSED.get(deal.get("closed") or "") or f.name_of(deal["stage"], "not in a stage"),
        as_of=as_of,
        scrubber=scrubber_of(answer, as_of, entries),
        checkbox=checkbox_finding(progress["counts"], progress["checkbox_only"]),
        beads=beads_of(progress["counts"]),
        pressure=_pressure(pressure),
        shaped=_shaped(entries),
        coverage=_coverage(pressure),
        exposure=_exposure(pressure),
        led=_led(progress.get("customer_led_movement")),
        chart=draw_chart(chart_data(answer, entries, zoom=zoom if zoom in ZOOMS else 1)),
        ledger=ledger,
        shown_ids=frozenset(row.entry.event["event_id"] for row in ledger),
        judged=reasons_of(answer, titles, numbers),
        candidates=patterns_of(pressure["patterns"], titles),
        activities=activities_of(progress["activities"], answer["called"]),
        lessons=lessons_of(progress["activities"], progress["unlinked_facts"]),
        money=money_of(pressure),
        said=said_of(answer["commitments"]),
        review=review_panel(answer["review"], answer["names"], answer["called"]),
        positions={one.event["event_id"]: one.event["position"] for one in entries},
        numbers=numbers,
        workings=of_deal(answer),
    )


def beads_of(counts: Mapping[str, int]) -> tuple[str, ...]:
    """One bead for each ticked activity: filled, hollow, or dashed while evidence is due."""
    return tuple(
        sign.fill
        for status, sign in STATUSES.items()
        if status not in ("not_ticked", "not_expressible")
        for _ in range(counts.get(status, 0))
    )


def _pressure(pressure: Answer) -> Finding:
    if pressure.get("untold"):
        why = "The pressure on a person is shown to them, to their managers and to auditors."
        return Finding(None, "Quota pressure is not shown here", why)
    return pressure_finding(pressure["shares"], pressure["policy_version"])


def _shaped(entries: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
    """How many events of each kind are pressure-shaped, with their glyph."""
    glyphs = [entry.sign.glyph for entry in entries if entry.pressure_shaped]
    found = ((glyph, glyphs.count(glyph), words) for glyph, words in SHAPED.items())
    return tuple((glyph, f.count(number, words)) for glyph, number, words in found if number)


def _exposure(pressure: Answer) -> str:
    """For how much of its open time the deal's owner was behind; unknown without a quota."""
    exposed = pressure["exposure"]
    share = f.percent(exposed["share"], "no quota was known while it was open")
    days = f.count(round(exposed["known_days"]), "day", "days")
    return share if exposed["share"] is None else f"{share} of {days}"


def _coverage(pressure: Answer) -> str:
    share = pressure["recording_coverage"]
    if share is None:
        return f.unknown("no seller event outside the last days of a quarter")
    of = pressure.get("recording_coverage_of")
    return f.percent(share) + (f" of {f.count(of, 'event')}" if of else "")


def _led(movement: Mapping[str, int] | None) -> str:
    if not movement or not movement["steps"]:
        return f.unknown("the deal has not moved forward yet")
    return f"{movement['led']} of {f.count(movement['steps'], 'step')}"
