"""Draws queries of the log, and reads them the plain way: one event after the other, in Python."""

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from api.bootstrap import Ledger
from api.errors import UnknownDealError
from api.moment import Moment
from api.query.tree import (
    AllOf,
    AnyOf,
    Between,
    Given,
    Leaf,
    Not,
    Query,
    Term,
    Word,
    all_of,
    any_of,
    negated,
)
from domain.events.base import type_name
from domain.events.progress import ActivityTicked
from domain.fiscal import days_left
from domain.known import Known
from domain.replay import Event, view
from projections.batch import deal_of
from projections.spans.fold import DealState, fold
from tests.support.ledgers import Line
from tests.support.thirty import Lines, usd

Said = Mapping[str, list[Any]]
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ":": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBERS: Final = frozenset({"data.percent", "data.level", "data.amount.amount", "data.net.amount"})


def trees(leaves: st.SearchStrategy[Leaf]) -> st.SearchStrategy[Query]:
    """Draw queries of these terms, in the one form that a query has."""
    some: st.SearchStrategy[Query] = leaves.map(lambda leaf: leaf)
    return st.recursive(
        some,
        lambda inner: st.one_of(
            inner.map(negated),
            st.lists(inner, min_size=2, max_size=3).map(all_of),
            st.lists(inner, min_size=2, max_size=3).map(any_of),
        ),
        max_leaves=6,
    )


NUMBERED: Final = trees(st.integers(0, 9_999).map(lambda number: Given(Word(str(number)))))
"""Queries of numbers, in whose place `filled` puts terms: what is drawn rests on no ledger."""


def filled(tree: Query, terms: Sequence[Leaf]) -> Query:
    """Give a drawn query with terms of a ledger in the place of numbers."""
    match tree:
        case Not(part):
            return negated(filled(part, terms))
        case AllOf(parts):
            return all_of(filled(part, terms) for part in parts)
        case AnyOf(parts):
            return any_of(filled(part, terms) for part in parts)
        case Term() | Between() | Given():
            return terms[int(tree.field.text) % len(terms)]


@dataclass(frozen=True)
class Plain:
    """The log as known and as true at a moment, each event with what may be asked of it."""

    known: Known
    events: Sequence[Event]
    said: Mapping[int, Said]
    account_of: Mapping[int, str | None]

    def holding(self, query: Query) -> list[Event]:
        """Give the events that a query holds for, in the order of positions."""
        return [event for event in self.events if self._holds(query, event)]

    def _holds(self, query: Query, event: Event) -> bool:
        match query:
            case Not(part):
                return not self._holds(part, event)
            case AllOf(parts):
                return all(self._holds(part, event) for part in parts)
            case AnyOf(parts):
                return any(self._holds(part, event) for part in parts)
            case _:
                return self._told(query, event)

    def _told(self, leaf: Leaf, event: Event) -> bool:
        name = leaf.field.text
        said = (
            _payload(name, event) if name.startswith("data.") else self.said[event.position][name]
        )
        match leaf:
            case Given():
                return bool(said)
            case Between(since=since, until=until):
                return any(
                    (since is None or self._compare(one, ">=", since.text))
                    and (until is None or self._compare(one, "<", until.text))
                    for one in said
                )
            case Term(comparison=comparison, values=values):
                return any(self._compare(one, comparison, v.text) for one in said for v in values)

    def _compare(self, said: Any, comparison: str, text: str) -> bool:
        wanted: Any = text
        if isinstance(said, datetime):
            if "T" in text:
                wanted = datetime.fromisoformat(text)
            else:
                said, wanted = self.known.calendar.day_of(said), date.fromisoformat(text)
        elif isinstance(said, bool):
            wanted = text == "yes"
        elif isinstance(said, int | Decimal):
            wanted = Decimal(text)
        return _COMPARE[comparison](said, wanted)


def _payload(name: str, event: Event) -> list[Any]:
    found: Any = json.loads(event.data.to_json())
    for step in name.split(".")[1:]:
        found = found.get(step) if isinstance(found, dict) else None
    if found is None:
        return []
    return [Decimal(found) if name in _NUMBERS else found]


def plainly(ledger: Ledger, moment: Moment) -> Plain:
    """Read the whole log as known and as true at a moment."""
    known = ledger.context.known(moment.position)
    events = ledger.store.events_at(1, moment.position)
    streams: dict[str, list[Event]] = {}
    for event in events:
        streams.setdefault(event.stream_id, []).append(event)
    said: dict[int, Said] = {}
    for stream in streams.values():
        said |= dict(_of_stream(ledger, moment, known, stream))
    cut = moment.cut
    shown = [event for event in events if cut is None or event.occurred_at <= cut]
    accounts = {
        event.position: left.account_id
        if deal_of(name) and (left := _left(stream, event))
        else None
        for name, stream in streams.items()
        for event in stream
    }
    return Plain(known, shown, said, accounts)


def _of_stream(
    ledger: Ledger, moment: Moment, known: Known, stream: Sequence[Event]
) -> Iterator[tuple[int, Said]]:
    deal = deal_of(stream[0].stream_id)
    verdicts = _verdicts(ledger, deal, moment) if deal else {}
    states = [_as_known(stream, event.position) for event in stream] if deal else []
    for event in stream:
        state = _left(stream, event) if deal else None
        yield (
            event.position,
            {
                **_envelope(event),
                **_times(event, known),
                **_state(state, known),
                "team": _some(
                    m.team if (m := known.member(event.rep, event.occurred_at)) else None
                ),
                "deal": [str(deal), *{e.source.stream for e in stream if e.source}] if deal else [],
                "account": sorted({one.account_id for one in states if one}),
                "owner_now": _some(states[-1].owner if deal and states[-1] else None),
                "verdict": _some(verdicts.get(event.event_id, (None, []))[0]),
                "rule": verdicts.get(event.event_id, (None, []))[1],
            },
        )


def _as_known(stream: Sequence[Event], position: int) -> DealState | None:
    return fold(view(stream, as_of=position))


def _left(stream: Sequence[Event], event: Event) -> DealState | None:
    """Give the deal with all that had occurred by an event, as known when it was told."""
    seen = view(stream, as_of=event.position)
    return fold([one for one in seen if one.order <= event.order])


def _envelope(event: Event) -> dict[str, list[Any]]:
    return {
        "type": [type_name(type(event.data))],
        "position": [event.position],
        "rep": [event.rep],
        "actor": [event.actor],
        "on_behalf_of": _some(event.on_behalf_of),
        "channel": [event.channel],
        "clock": [event.clock],
        "source": _some(event.source.system if event.source else None),
        "recorded": [event.recorded_at],
        "occurred": [event.occurred_at],
    }


def _times(event: Event, known: Known) -> dict[str, list[Any]]:
    quarter = known.calendar.quarter_at(event.occurred_at)
    name = quarter.name if quarter else None
    told: datetime | None = event.recorded_at
    if event.ordinary_import:
        told = event.source.recorded_at if event.source else None
    late = timedelta(hours=float(known.policy.late_hours))
    return {
        "quarter": _some(name),
        "days_left": _some(days_left(quarter, event.occurred_at) if quarter else None),
        "late": [told - event.occurred_at > late] if told else [],
        "backdated": [known.calendar.name_at(told) != name] if told else [],
    }


def _state(state: DealState | None, known: Known) -> dict[str, list[Any]]:
    if state is None:
        return {name: [] for name in ("owner", "stage", "amount", "currency")}
    named = {s.name for p in known.catalogue.values() for s in p.stages if s.id == state.stage}
    return {
        "owner": [state.owner],
        "stage": [state.stage, *named] if state.stage else [],
        "amount": _some(state.amount),
        "currency": _some(state.currency),
    }


def _verdicts(ledger: Ledger, deal: UUID, moment: Moment) -> dict[UUID, tuple[str, list[str]]]:
    """Give the verdict of every event of a deal that has one, and the rules that hold."""
    try:
        seen = ledger.questions.seen(deal, moment)
    except UnknownDealError:
        return {}
    pressure: Any = ledger.questions.pressure(seen)
    progress: Any = ledger.questions.progress(seen)
    found = {
        UUID(str(one["event_id"])): (one["verdict"], one["rules"]) for one in pressure["events"]
    }
    statuses = {one["activity"]: one["status"] for one in progress["activities"]}
    for event in view(seen.stream):
        status = statuses.get(getattr(event.data, "activity", None))
        if isinstance(event.data, ActivityTicked) and status not in {None, "not_ticked"}:
            found[event.event_id] = (status, [])
    return found


def _some(value: Any) -> list[Any]:
    return [] if value is None else [value]


def imported_lines(*, later: bool = False) -> list[Line]:
    """Give lines of an ordinary import, some with the time at which their source was told.

    The `later` ones say more of the same deals, late and otherwise than before.
    """
    lines = Lines()
    for number, deal in enumerate(("Q1", "Q2", "Q3"), start=1):
        name, amount = f"deal:{deal}", {"amount": usd(f"{number}0000")}
        more: dict[str, Any] = amount if number > 1 else {}
        if later:
            lines.add(name, "amount_changed", f"2025-02-0{number}T10:00:00Z", amount, actor="bob")
            lines.add(name, "stage_entered", "2025-03-20T10:00:00Z", {"stage": "prove"})
            lines.add(name, "owner_changed", "2025-02-20T10:00:00Z", {"owner": "bob"})
            continue
        lines.open(deal, f"2025-01-0{number}T10:00:00Z", actor="ann", **more)
        lines.add(name, "stage_entered", "2025-02-10T10:00:00Z", {"stage": "discover"})
        lines.add(name, "discount_offered", "2025-03-30T10:00:00Z", {"percent": f"{number}5"})
        lines.add(name, "activity_ticked", "2025-03-30T10:00:00Z", {"activity": "fit"})
        gap = {"from": "2025-01-02T00:00:00Z", "to": "2025-02-01T00:00:00Z", "fields": ["stage"]}
        lines.add(name, "history_gap", "2025-02-01T00:00:00Z", gap)
        corrected = {"event_id": f"{name}/{len(lines.all) - 3}", "reason": "Typed wrongly"}
        lines.add(
            name, "event_amended", "2025-04-01T10:00:00Z", {**corrected, "data": {"percent": "4"}}
        )
    told = [timedelta(0), timedelta(hours=1), timedelta(days=40), None]
    if later:
        return [{**line, "external_id": f"{line['external_id']}/later"} for line in lines.all]
    lags = [told[number % len(told)] for number in range(len(lines.all))]
    # Told before it was to happen; and in the next quarter, which began two minutes later.
    for when, lag in (
        ("2025-02-03T10:00:00Z", timedelta(days=-10)),
        ("2025-02-01T04:58:00Z", timedelta(minutes=4)),
    ):
        lines.add("deal:Q1", "note_added", when, {"text": "To be called then"})
        lags.append(lag)
    _tick_and_correct(lines)
    lags += [None] * (len(lines.all) - len(lags))
    return [_told_by_source(line, lag) for line, lag in zip(lines.all, lags, strict=True)]


def _tick_and_correct(lines: Lines) -> None:
    """Tick once more what is ticked, and something else: retracted, amended, and told again."""

    def correct(kind: str, name: str, **more: Any) -> str:
        data = {"event_id": name, "reason": "Ticked in the wrong line", **more}
        return add(name.rpartition("/")[0], kind, "2025-04-02T10:00:00Z", data)

    def add(stream: str, kind: str, when: str, data: dict[str, Any]) -> str:
        lines.add(stream, kind, when, data)
        return str(lines.all[-1]["external_id"])

    def tick(deal: str, activity: str) -> str:
        return add(deal, "activity_ticked", "2025-04-01T10:00:00Z", {"activity": activity})

    correct("event_retracted", tick("deal:Q1", "fit"))
    correct("event_amended", tick("deal:Q2", "fit"), data={"activity": "meet"})
    correct("event_amended", tick("deal:Q2", "plan"), data={"activity": "fit"})
    correct("event_retracted", correct("event_retracted", tick("deal:Q3", "fit")))


def _told_by_source(line: Line, lag: timedelta | None) -> Line:
    if lag is None:
        return line
    at = datetime.fromisoformat(str(line["occurred_at"])) + lag
    return {**line, "recorded_at": at.isoformat()}
