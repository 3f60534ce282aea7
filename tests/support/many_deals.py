"""Draws logs of several deals and their context: told late, out of order, corrected, taken back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID, uuid5

from hypothesis import strategies as st

from domain.events.base import type_name
from domain.events.catalogue import TYPES_BY_NAME
from domain.known import Known
from domain.replay import Event, view
from domain.stamp import RecordedEvent
from projections.batch import DEAL_PREFIX, Batch, deal_of
from tests.support.framing import ToldFrames
from tests.support.told import NAMESPACE, named, process, usd

START: Final = datetime(2025, 1, 20, 9, tzinfo=UTC)
"""So that a log begins outside the last days of a quarter and ends within them, or after."""
DEALS: Final = tuple(uuid5(NAMESPACE, f"deal {number}") for number in range(3))
REPS: Final = ("ann", "bob")
REFRAMING: Final = ("calendar", "policy", "process")
PROCESS: Final = process(
    ("qualify", {"meet": "dm_criteria"}),
    ("discover", {"demo": "fit_confirmed"}),
    ("propose", {"review": "security_passed"}),
)
NUMBERS: Final = {
    "window_days": 55,
    "opening_days": 1,
    "n_rep": 2,
    "n_segment": 1,
    "n_organisation": 2,
    "n_dwell": 2,
    "alpha": "0.5",
    "theta": "0.2",
}
"""A policy under which few deals are enough to compare with."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One event as it is told: of which stream, how long after the last, how long after it was.

    `points_at` picks the earlier event that it corrects, withdraws or names as its cause.
    """

    stream: str
    kind: str
    data: dict[str, object]
    rep: str = "ann"
    after: timedelta = timedelta(0)
    lag: timedelta = timedelta(0)
    points_at: int | None = None


@dataclass(frozen=True)
class Log:
    """Events with positions, and what is known of them at any."""

    events: Sequence[Event]

    @property
    def head(self) -> int:
        return len(self.events)

    def known(self, as_of: int) -> Known:
        return Known(e for e in self.events[:as_of] if not deal_of(e.stream_id))

    def streams(self, as_of: int) -> dict[UUID, list[Event]]:
        found: dict[UUID, list[Event]] = {}
        for event in self.events[:as_of]:
            if deal_id := deal_of(event.stream_id):
                found.setdefault(deal_id, []).append(event)
        return found

    def batches(self, sizes: Callable[[], int]) -> Iterator[Batch]:
        """Give the batches of a worker: where a frame begins, all deals are in one."""
        frames = ToldFrames.of(self.events, self.known)
        after = 0
        while after < self.head:
            events = list(self.events[after : after + sizes()])
            upto = after + len(events)
            streams = self.streams(upto)
            touched = {deal_of(event.stream_id) for event in events}
            framed = bool(frames.between(after, upto))
            wanted = {i: stream for i, stream in streams.items() if framed or i in touched}
            yield Batch(after, upto, wanted, frames)
            after = upto

    def hiding(self, after: datetime) -> "Log":
        """Give the log of a ledger that was never told of what occurred to deals after an instant.

        What corrected the rest is applied: it holds whenever it was said.
        """
        kept = [event for event in self.events if not deal_of(event.stream_id)]
        for stream in self.streams(self.head).values():
            kept += view(stream, effective_at=after)
        kept.sort(key=lambda event: event.position)
        return Log([replace(event, position=n) for n, event in enumerate(kept, start=1)])

    def and_then(self, telling: Telling) -> "Log":
        """Give the log with one more event told, as late as any."""
        stream = [event for event in self.events if event.stream_id == telling.stream]
        now = max([START, *(event.recorded_at for event in self.events)])
        event = _event(telling, stream, now, position=self.head + 1)
        return Log([*self.events, *([event] if event else [])])

    @cached_property
    def instants(self) -> list[datetime]:
        """Every instant at which something occurred."""
        return sorted({event.occurred_at for event in self.events})


def log_of(tellings: Sequence[Telling]) -> Log:
    """Record what is told, one after the other; what points at nothing is left out."""
    events: list[Event] = []
    streams: dict[str, list[Event]] = {}
    now = START
    for telling in tellings:
        now += telling.after
        stream = streams.setdefault(telling.stream, [])
        event = _event(telling, stream, now, position=len(events) + 1)
        if event is not None:
            events.append(event)
            stream.append(event)
    return Log(events)


def _event(
    telling: Telling, stream: Sequence[Event], now: datetime, *, position: int
) -> Event | None:
    target = _target(telling, stream)
    data = dict(telling.data)
    if telling.kind in _POINTING:
        if target is None:
            return None
        data |= {"event_id": target.event_id, "reason": "Told wrongly"}
    if telling.kind == "event_amended":
        assert target is not None
        data["data"] = _AMENDED[type_name(type(target.data))]
    version = len(stream) + 1
    return RecordedEvent(
        event_id=named(f"{telling.stream} {version}"),
        stream_id=telling.stream,
        version=version,
        position=position,
        occurred_at=now - telling.lag,
        recorded_at=now,
        ingested_at=now,
        actor=telling.rep,
        data=TYPES_BY_NAME[telling.kind].model_validate(data),
        caused_by=target.event_id if target and telling.kind not in _POINTING else None,
    )


def _target(telling: Telling, stream: Sequence[Event]) -> Event | None:
    wanted = _POINTING.get(telling.kind, _CUSTOMER_EVENTS)
    found = [event for event in stream if type_name(type(event.data)) in wanted]
    if telling.points_at is None or not found:
        return None
    return found[telling.points_at % len(found)]


_AMENDED: Final[dict[str, dict[str, object]]] = {
    "deal_opened": {
        "name": "Fleet",
        "account": {"id": "a", "name": "A", "segment": "big"},
        "owner": "bob",
        "close_date": "2025-04-25",
    },
    "stage_entered": {"stage": "propose"},
    "discount_offered": {"percent": "35"},
    "close_date_moved": {"to": "2025-03-25"},
    "outcome_evidenced": {"outcome": "fit_confirmed", "level": 5},
    "customer_request_received": {"topic": "date", "level": 4},
}
"""What an amendment puts in the place of an event's payload."""
_CUSTOMER_EVENTS: Final = frozenset(
    {"customer_request_received", "customer_commitment_recorded", "outcome_evidenced"}
)
_POINTING: Final = {
    "event_amended": frozenset(_AMENDED),
    "event_retracted": frozenset({*_AMENDED, "event_amended", "event_retracted", "deal_lost"})
    - {"deal_opened"},
    "evidence_withdrawn": frozenset({"outcome_evidenced"}),
}
"""What events of these types point at; others may name an event of the customer as their cause."""


def _told(
    stream: str,
    kind: str,
    data: st.SearchStrategy[dict[str, object]],
    *,
    points_at: st.SearchStrategy[int | None] | None = None,
) -> st.SearchStrategy[Telling]:
    return st.builds(
        Telling,
        stream=st.just(stream),
        kind=st.just(kind),
        data=data,
        rep=st.sampled_from(REPS),
        after=st.sampled_from([0, 0.1, 0.5, 1, 2]).map(lambda days: timedelta(days=days)),
        lag=st.sampled_from([0, 0, 0, 0.5, 3, 6, 20]).map(lambda days: timedelta(days=days)),
        points_at=st.none() if points_at is None else points_at,
    )


_DAYS: Final = st.sampled_from([date(2025, 3, 20), date(2025, 3, 31), date(2025, 4, 25)])
_STAGES: Final = st.sampled_from(["qualify", "qualify", "discover", "propose", "won"])
_OUTCOMES: Final = st.sampled_from(["dm_criteria", "dm_criteria", "fit_confirmed"])
_PICKS: Final[st.SearchStrategy[int | None]] = st.integers(min_value=0, max_value=9)
_SOMETIMES: Final[st.SearchStrategy[int | None]] = st.none() | _PICKS
_EMPTY: Final[st.SearchStrategy[dict[str, object]]] = st.just({})


def _fields(
    required: dict[str, st.SearchStrategy[object]],
    optional: dict[str, st.SearchStrategy[object]] | None = None,
) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(required, optional=optional or {})


def _openings(stream: str) -> st.SearchStrategy[Telling]:
    account = st.sampled_from([{"id": "a", "name": "A", "segment": s} for s in (None, "big")])
    data = _fields(
        {"name": st.just("Fleet"), "account": account, "owner": st.sampled_from(REPS)},
        {
            "close_date": _DAYS,
            "amount": st.just(usd("1000")),
            "process": st.just({"id": "linear", "version": 1}),
        },
    )
    return _told(stream, "deal_opened", data)


def _corrections(stream: str) -> st.SearchStrategy[Telling]:
    return _told(stream, "event_retracted", _EMPTY, points_at=_PICKS) | _told(
        stream, "event_amended", _EMPTY, points_at=_PICKS
    )


def _sellers(stream: str) -> st.SearchStrategy[Telling]:
    percent: dict[str, st.SearchStrategy[object]] = {
        "percent": st.sampled_from(["5", "10", "25.0", "40"])
    }
    return st.one_of(
        _told(stream, "stage_entered", _fields({"stage": _STAGES}), points_at=_SOMETIMES),
        _told(
            stream,
            "discount_offered",
            _fields(percent, {"expires_on": _DAYS}),
            points_at=_SOMETIMES,
        ),
        _told(stream, "close_date_moved", _fields({"to": _DAYS}), points_at=_SOMETIMES),
        _told(
            stream, "activity_ticked", _fields({"activity": st.just("demo")}), points_at=_SOMETIMES
        ),
    )


def _customers(stream: str) -> st.SearchStrategy[Telling]:
    level = {"level": st.integers(min_value=1, max_value=5)}
    promised = {"commitment_id": st.just("k"), "what": st.just("They sign"), "due": _DAYS}
    kinds = st.sampled_from(["for_discount", "decision_date"])
    topics = st.sampled_from(["discount", "date"])
    return st.one_of(
        _told(stream, "customer_request_received", _fields(level | {"topic": topics})),
        _told(stream, "customer_commitment_recorded", _fields(level | promised | {"kind": kinds})),
        _told(stream, "outcome_evidenced", _fields(level | {"outcome": _OUTCOMES})),
        _told(stream, "outcome_contradicted", _fields({"outcome": _OUTCOMES})),
        _told(stream, "evidence_withdrawn", _EMPTY, points_at=_PICKS),
    )


def _lives(stream: str) -> st.SearchStrategy[Telling]:
    net = {"net": st.sampled_from([usd("50"), usd("300")]), "closed_on": _DAYS}
    pinned = {"process": st.just({"id": "linear", "version": 2})}
    return st.one_of(
        _told(stream, "discount_withdrawn", _EMPTY),
        _told(stream, "deal_won", _fields(dict(net))),
        _told(stream, "win_reversed", _EMPTY),
        _told(stream, "deal_lost", _EMPTY),
        _told(stream, "deal_reopened", _EMPTY),
        _told(stream, "deal_moved_to_process", _fields(dict(pinned))),
        _told(stream, "note_added", _fields({"text": st.just("They called")})),
        _told(stream, "owner_changed", _fields({"owner": st.sampled_from(REPS)})),
    )


def _of_deal(deal_id: UUID) -> st.SearchStrategy[Telling]:
    stream = f"{DEAL_PREFIX}{deal_id}"
    sellers, customers = _sellers(stream), _customers(stream)
    rare = _corrections(stream) | _openings(stream)
    return _one_of(sellers, sellers, sellers, customers, customers, _lives(stream), rare)


def _one_of(*kinds: st.SearchStrategy[Telling]) -> st.SearchStrategy[Telling]:
    """Draw each kind as often as it is named; `st.one_of` would draw each part of one as often."""
    return st.integers(min_value=0, max_value=len(kinds) - 1).flatmap(lambda kind: kinds[kind])


def published(version: int) -> dict[str, object]:
    stages = [stage.model_dump() for stage in PROCESS.stages]
    closing = {"won": "won", "lost": "lost"}
    return {"version": version, "name": "Linear", "stages": stages[version - 1 :]} | {
        "closing": closing
    }


def _quota(rep: str, kind: str, amount: str) -> Telling:
    assigned = {"rep": rep, "quarter": "FY2025Q1"} if kind == "quota_assigned" else {}
    return Telling(f"quota:{rep}:FY2025Q1", kind, {**assigned, "amount": usd(amount)})


_SHIFTED: Final = {
    "zone": "America/New_York",
    "kind": "months",
    "parameters": {"start_month": 2},
    "effective_from": date(2000, 1, 1),
}
_CONTEXT: Final = st.sampled_from(
    [
        _quota("ann", "quota_revised", "500"),
        _quota("bob", "quota_revised", "2000"),
        Telling("policy", "policy_published", {"version": 1, "numbers": NUMBERS}),
        Telling("process:linear", "process_published", published(2)),
        Telling("calendar", "calendar_adopted", _SHIFTED),
    ]
)
_BEGINNING: Final = [
    Telling("policy", "policy_published", {"version": 1, "numbers": NUMBERS}),
    Telling("process:linear", "process_published", published(1)),
    _quota("ann", "quota_assigned", "1000"),
    _quota("bob", "quota_assigned", "900"),
]


def _logs() -> st.SearchStrategy[Log]:
    deals = [_of_deal(deal_id) for deal_id in DEALS]
    tellings = _one_of(*deals, *deals, *deals, _CONTEXT)
    # The last deal is opened whenever it is told, after some of its other events.
    opened = st.tuples(*(_openings(f"{DEAL_PREFIX}{deal_id}") for deal_id in DEALS[:-1]))
    bodies = st.lists(tellings, min_size=40, max_size=90)
    return st.builds(lambda first, body: log_of([*_BEGINNING, *first, *body]), opened, bodies)


LOGS: Final[st.SearchStrategy[Log]] = _logs()
"""Logs as imports may bring them: whatever the rules say, but for their form."""
