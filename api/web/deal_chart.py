"""Turns a deal's answer into what its chart draws: moments with glyphs, stays, curve, quarters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.web import format as f
from api.web.chart import ChartData, Moment, QuarterEnd, Visit
from api.web.chart_curve import CurvePoint
from api.web.reads import Answer
from api.web.vocabulary import (
    DRIVERS,
    HOLLOW_TYPES,
    STATUSES,
    VERDICTS,
    VERDICTS_SHORT,
    Sign,
    glyph_of,
)

DEFAULT_THRESHOLD: Final = 0.25
"""Drawn where no judged event names its policy's threshold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the history with what progress and pressure say about it."""

    event: Mapping[str, Any]
    judged: Mapping[str, Any] | None
    sign: Sign
    at: datetime

    @property
    def verdict(self) -> str | None:
        return self.judged["verdict"] if self.judged else self.event.get("verdict")

    @property
    def verdict_words(self) -> str | None:
        return VERDICTS.get(self.verdict) if self.verdict else None

    @property
    def verdict_short(self) -> str | None:
        return VERDICTS_SHORT.get(self.verdict) if self.verdict else None

    @property
    def pressure_shaped(self) -> bool:
        return self.verdict == "pressure_shaped" and not self.event.get("retracted")


def entries_of(answer: Answer) -> tuple[Entry, ...]:
    """The history in order of time; a bookkeeping act stands where it is judged."""
    judged = {event["event_id"]: event for event in answer["pressure"]["events"]}
    statuses = _tick_statuses(answer["progress"]["activities"])
    skips = {skip["event_id"] for skip in answer["progress"]["skips"]}
    entries = []
    for event in answer["history"]["events"]:
        verdict = judged.get(event["event_id"])
        at = f.instant(verdict["action_time"] if verdict else event["occurred_at"])
        entries.append(
            Entry(_worded(event, answer["names"]), verdict, _sign(event, statuses, skips), at)
        )
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.event["position"])))


def chart_data(answer: Answer, entries: Iterable[Entry], *, zoom: int = 1) -> ChartData:
    """From the opening to where the page stands; to its last event once the deal is closed."""
    deal, pressure = answer["deal"], answer["pressure"]
    shown = [entry for entry in entries if not entry.event.get("retracted")]
    instants = [entry.at for entry in shown]
    opened = deal.get("opened_at")
    start = f.instant(opened) if opened else min(instants, default=_stands_at(answer))
    end = _stands_at(answer)
    if deal.get("closed"):
        end = max(instants, default=start)
    return ChartData(
        start=start,
        end=max(start, end),
        threshold=_threshold(pressure),
        curve=[
            CurvePoint(f.instant(point["at"]), point["pressure"], _run(point))
            for point in pressure.get("curve", ())
            if f.instant(point["at"]) <= end
        ],
        moments=[_moment(entry) for entry in shown],
        visits=[
            Visit(stage["name"], f.instant(stage["entered_at"]), _instant_or_none(stage["left_at"]))
            for stage in answer["stages"]
        ],
        quarter_ends=[
            QuarterEnd(quarter["name"], quarter_end(quarter)) for quarter in answer["quarters"]
        ],
        zoom=zoom,
    )


def _worded(event: Mapping[str, Any], people: Mapping[str, str]) -> Mapping[str, Any]:
    words = {name: f.event_words(event.get(name) or "", people) for name in ("title", "detail")}
    return {**event, **words}


def quarter_end(quarter: Mapping[str, Any]) -> datetime:
    """The instant a quarter ends; a bare day counts from its midnight in UTC."""
    end = quarter.get("end_instant") or quarter["end"]
    return f.instant(end if "T" in str(end) or isinstance(end, datetime) else f"{end}T00:00:00Z")


def label_of(entry: Entry) -> str:
    """The mark in one sentence, for those who hear the chart."""
    driver = DRIVERS.get(entry.event["driver"], "").lower()
    words = [f.moment(entry.at), entry.event["title"]]
    if driver in ("customer", "seller"):
        words.append(f"{driver}-driven")
    if entry.sign.glyph == "circle":
        words.append(entry.sign.words)
    if entry.pressure_shaped:
        words.append("pressure-shaped")
    return ", ".join(words)


def _run(point: Mapping[str, Any]) -> str:
    """What a stretch of the line belongs to: another quarter or owner has another quota."""
    return f"{point['quarter']} {point.get('rep', '')}"


def _moment(entry: Entry) -> Moment:
    return Moment(
        key=entry.event["event_id"],
        at=entry.at,
        lane=entry.event["driver"],
        glyph=entry.sign.glyph,
        fill=entry.sign.fill,
        label=label_of(entry),
        pressure_shaped=entry.pressure_shaped,
        pressure=entry.judged["pressure"] if entry.judged else None,
    )


def _sign(event: Mapping[str, Any], statuses: Mapping[str, str], skips: set[str]) -> Sign:
    kind = event["type"]
    if kind == "activity_ticked":
        status = statuses.get(event["event_id"]) or statuses.get(_same_instant(event))
        return STATUSES[status] if status else Sign("circle", "dashed", "Ticked")
    if event["event_id"] in skips:
        return Sign("chevrons", "filled", "Stage skipped")
    return Sign(glyph_of(kind), "hollow" if kind in HOLLOW_TYPES else "filled", f.words_of(kind))


def _tick_statuses(activities: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Status by the event that ticked, or by instant where the answer names no event."""
    found: dict[str, str] = {}
    for activity in activities:
        key = activity.get("tick_event_id")
        if key is None and activity["ticked_at"] is not None:
            key = f.instant(activity["ticked_at"]).isoformat()
        if key is not None:
            found[key] = activity["status"]
    return found


def _same_instant(event: Mapping[str, Any]) -> str:
    return f.instant(event["occurred_at"]).isoformat()


def _threshold(pressure: Answer) -> float:
    for event in pressure["events"]:
        for fact in event.get("facts", ()):
            if fact["fact"] == "behind" and fact["threshold"] is not None:
                return float(fact["threshold"])
    return DEFAULT_THRESHOLD


def _stands_at(answer: Answer) -> datetime:
    progress = answer["progress"]
    return f.instant(progress.get("effective_at") or progress["as_of"]["recorded_at"])


def _instant_or_none(value: str | datetime | None) -> datetime | None:
    return None if value is None else f.instant(value)
