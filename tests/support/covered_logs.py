"""Random logs in which the recording coverage of teams turns, in all the ways it can.

Much is told within minutes, also as the quarter begins, and some of it a little before it occurs;
some of it days afterwards.
Acts are explained by what customers said between an act and its telling, until a later act names
that, or are taken back; people join teams and leave them; policies with other gates come and go.
"""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, Final
from uuid import uuid5

from domain.replay import Event
from tests.support.pressed_logs import FIRST_DAY
from tests.support.quarter_logs import REPS, TEAMS, Streamed, Told, append
from tests.support.spans import Log
from tests.support.told import NAMESPACE

_PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (0, 1, 1, 2, 60, 5_000))
_LAGS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (-4, -4, -2, 0, 0, 1, 90, 2_900, 9_000)
)
"""How long after it occurred something is told; clocks run ahead by five minutes at most."""
_ACTS: Final = ("stage_entered", "discount_offered", "close_date_moved")
_SAID: Final = "customer_request_received"
_STAGES: Final = ("qualification", "discovery", "solution", "proposal")


def covered_log(
    chance: Random, *, gates: Sequence[str | None], size: int = 150, deals: int = 5
) -> Log:
    """Give a log of FY2025Q1, whose policies have these coverage gates one after the other."""
    log = Log([])
    recorded = FIRST_DAY - timedelta(days=70)
    for rep in REPS:
        append(log, *_joined(rep, TEAMS[0]), recorded, recorded)
    for number in range(size):
        recorded += chance.choice(_PAUSES)
        if number == size // 4:
            recorded = FIRST_DAY - timedelta(minutes=3)
        turn, rest = divmod((number + 1) * len(gates), size)
        if rest < len(gates):
            stream, told = _policy(turn, gates[turn - 1])
        elif chance.random() < 0.12:
            stream, told = _moved(chance)
        else:
            stream = f"deal:{uuid5(NAMESPACE, f'covered deal {chance.randrange(deals)}')}"
            told = _of_deal(chance, [one for one in log.events if one.stream_id == stream])
        said = [e.event_id for e in log.events if e.stream_id == stream and _named(e) == _SAID]
        named = told[0] in _ACTS and said and chance.random() < 0.4
        append(
            log,
            stream,
            told,
            recorded,
            recorded - chance.choice(_LAGS),
            actor=chance.choice(REPS),
            caused_by=chance.choice(said) if named else None,
        )
    return log


def _named(event: Event) -> str:
    return event.data.TOPIC.split(".")[1]


def _policy(version: int, gate: str | None) -> Streamed:
    numbers: dict[str, Any] = {} if gate is None else {"coverage_gate": gate}
    # Another window, under which other acts lie outside of it.
    numbers["window_days"] = (14, 40)[version % 2]
    return "policy", ("policy_published", {"version": version, "numbers": numbers})


def _moved(chance: Random) -> Streamed:
    rep = chance.choice(REPS)
    if chance.random() < 0.2:
        return "organisation", ("member_left", {"rep": rep})
    return _joined(rep, chance.choice(TEAMS))


def _joined(rep: str, team: str) -> Streamed:
    return "organisation", ("member_joined", {"rep": rep, "team": team, "role": "rep"})


def _of_deal(chance: Random, own: Sequence[Event]) -> Told:
    acts = [event for event in own if _named(event) in _ACTS]
    if not own:
        account = {"id": "acme", "name": "Acme"}
        opened = {"name": "Line 4", "account": account, "owner": REPS[0]}
        return "deal_opened", {**opened, "close_date": "2025-07-15"}
    if acts and chance.random() < 0.25:
        about = {"event_id": str(acts[-1].event_id), "reason": "told wrongly"}
        return "event_retracted", about
    kind = chance.choice([*_ACTS, *_ACTS, _SAID, _SAID, "outcome_evidenced"])
    data: dict[str, dict[str, Any]] = {
        "stage_entered": {"stage": chance.choice(_STAGES)},
        "discount_offered": {"percent": "10"},
        "close_date_moved": {"to": chance.choice(["2025-03-20", "2025-06-20"])},
        _SAID: {"topic": chance.choice(["discount", "date"]), "level": chance.choice([1, 3])},
        "outcome_evidenced": {"outcome": "customer_goal_understood", "level": 3},
    }
    return kind, data[kind]
