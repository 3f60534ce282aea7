"""Random logs of a quarter of which most is told days afterwards, each thing on its own day.

Deals go through their stages, are discounted, pulled in, won and lost again while quotas are
revised, people change teams and policies, a process and a calendar are published. The numbers of
the policies let a handful of deals be compared with each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID, uuid5

from domain.quota import quota_stream
from tests.support.pressed_logs import FIRST_DAY, QUARTER
from tests.support.quarter_logs import REPS, START, TEAMS, Streamed, Told, append
from tests.support.spans import Log
from tests.support.told import NAMESPACE

_STAGES: Final = ("qualification", "discovery", "solution", "proposal")
_RARELY: Final = 0.3
_AHEAD: Final = -1 / 1440
"""Days after it occurred that an act is told: a minute before, by a clock that runs ahead."""
_NUMBERS: Final = {
    "window_days": 40,
    "theta": "0.1",
    "lookback_days": 20,
    "n_rep": 3,
    "n_segment": 2,
    "n_organisation": 3,
    "n_dwell": 2,
    "alpha": "0.4",
    "minimum_excess": "0",
    "dwell_percentile": "0.5",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """An event and when it is told; `retracts` is the type of the one of its stream that it is."""

    stream: str
    told: Told
    recorded: datetime
    occurred: datetime
    actor: str = REPS[0]
    retracts: str = ""


def told_late_log(
    chance: Random, *, deals: int = 8, gates: Sequence[str | None] = (None, None, None)
) -> Log:
    """Give a log of FY2025Q1, whose policies have these coverage gates one after the other."""
    lines = [
        *_organisation(chance),
        *_policies(gates),
        *(line for number in range(deals) for line in _deal(chance, number)),
    ]
    log = Log([])
    ids: dict[tuple[str, str], UUID] = {}
    for line in sorted(lines, key=lambda line: line.recorded):
        kind, data = line.told
        if line.retracts:
            data = {**data, "event_id": str(ids[line.stream, line.retracts])}
        ids[line.stream, kind] = append(
            log, line.stream, (kind, data), line.recorded, line.occurred, actor=line.actor
        )
    return log


def _day(number: float) -> datetime:
    return FIRST_DAY + timedelta(days=number)


def _deal(chance: Random, number: int) -> Iterator[_Line]:
    stream = f"deal:{uuid5(NAMESPACE, f'late deal {number}')}"

    def line(told: Told, day: float, retracts: str = "") -> _Line:
        late = chance.choice([_AHEAD, _AHEAD, chance.uniform(0, 5), chance.uniform(5, 20)])
        # Of some only the half of the week is known, so that they occurred together.
        occurred = _day(day if chance.random() < _RARELY else day // 3.5 * 3.5)
        recorded = max(occurred + timedelta(days=late), opened + timedelta(seconds=1))
        return _Line(stream, told, recorded, occurred, chance.choice(REPS), retracts)

    # Some are told of as opened after what else is told of them occurred.
    opened = _day(chance.uniform(40, 70) if number % 3 == 0 else chance.uniform(-5, 5))
    yield _Line(stream, _opening(chance), opened, opened)
    days = sorted(chance.uniform(6, 88) for _ in _STAGES)
    for stage, day in zip(_STAGES, days, strict=True):
        yield line(("stage_entered", {"stage": stage}), day)
    # Those that others are compared with are told until after the last of these.
    early = line(_offer(chance), chance.uniform(6, 45))
    early = replace(early, recorded=early.recorded + timedelta(days=chance.uniform(0, 45)))
    offers = [early, line(_offer(chance), chance.uniform(52, 88))]
    pulls = [line(_pulled(day), chance.uniform(52, 80)) for day in (27, 24)]
    wins = [line(_won(chance), chance.uniform(52, 88))] if chance.random() > _RARELY else []
    yield from (*offers, *pulls, *wins)
    for topic, day in (("discount", chance.uniform(3, 45)), ("date", chance.uniform(45, 85))):
        yield line(("customer_request_received", {"topic": topic, "level": 3}), day)
    if chance.random() < _RARELY:
        yield _taken_back(stream, offers)
    if wins and chance.random() < _RARELY:
        yield _taken_back(stream, wins)
    elif wins and chance.random() < _RARELY:
        reversed_at = wins[0].recorded + timedelta(days=2)
        yield _Line(stream, ("win_reversed", {}), reversed_at, reversed_at)


def _taken_back(stream: str, lines: Sequence[_Line]) -> _Line:
    at = max(line.recorded for line in lines) + timedelta(hours=7)
    told = "event_retracted", {"reason": "told wrongly"}
    return _Line(stream, told, at, at, retracts=lines[0].told[0])


def _opening(chance: Random) -> Told:
    account = {"id": "acme", "name": "Acme", "segment": chance.choice(["large", "small"])}
    data = {"name": "Line 4", "account": account, "owner": chance.choice(REPS)}
    return "deal_opened", {**data, "close_date": "2025-07-15"}


def _offer(chance: Random) -> Told:
    return "discount_offered", {"percent": chance.choice(["5", "10", "12.5", "20", "35"])}


def _pulled(day: int) -> Told:
    return "close_date_moved", {"to": f"2025-03-{day}"}


def _won(chance: Random) -> Told:
    net = {"amount": chance.choice(["9000.00", "60000.00"]), "currency": "USD"}
    return "deal_won", {"net": net, "closed_on": "2025-03-01"}


def _organisation(chance: Random) -> Iterator[_Line]:
    """What everybody has at first, and what is told of it in the second half of the quarter."""
    for rep in REPS:
        stream, told = _quota(chance, rep, "quota_assigned")
        yield _Line(stream, told, START, START)
        yield _Line(*_joined(rep, TEAMS[0]), START, START)
    for rep in REPS * 8:
        stream, told = _quota(chance, rep, "quota_revised")
        yield _late(chance, stream, told)
        yield _late(chance, *_joined(rep, chance.choice(TEAMS)))
    yield _late(chance, "organisation", ("member_left", {"rep": chance.choice(REPS)}))
    yield _late(chance, "process:own", ("process_published", _process()))
    adopted = {"zone": "UTC", "kind": "months", "parameters": {"start_month": 7}}
    calendar = {**adopted, "effective_from": "2025-07-01"}
    yield _late(chance, "calendar", ("calendar_adopted", calendar))


def _late(chance: Random, stream: str, told: Told) -> _Line:
    occurred = _day(chance.uniform(40, 88))
    return _Line(stream, told, occurred + timedelta(days=chance.uniform(0, 30)), occurred)


def _quota(chance: Random, rep: str, kind: str) -> Streamed:
    amount = {"amount": chance.choice(["2000.00", "30000.00", "90000.00"]), "currency": "USD"}
    whose = {"rep": rep, "quarter": QUARTER} if kind == "quota_assigned" else {}
    return quota_stream(who=rep, quarter=QUARTER), (kind, {**whose, "amount": amount})


def _joined(rep: str, team: str) -> Streamed:
    return "organisation", ("member_joined", {"rep": rep, "team": team, "role": "rep"})


def _process() -> dict[str, object]:
    stages: list[dict[str, object]] = [
        {"id": i, "name": i, "goal": "Know more", "activities": []} for i in _STAGES
    ]
    closing = {"won": "won", "lost": "lost"}
    return {"version": 1, "name": "Own", "stages": stages, "closing": closing}


def _policies(gates: Sequence[str | None]) -> Iterator[_Line]:
    for number, gate in enumerate(gates):
        numbers = _NUMBERS | ({"coverage_gate": gate} if gate else {})
        numbers["theta"] = ("0.1", "0.9")[number % 2]
        told = "policy_published", {"version": number + 1, "numbers": numbers}
        at = _day(60 + 8 * number) if number else START
        yield _Line("policy", told, at, at)
