"""Leaves out of answers what is another person's figure or pressure: null, or no row."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from api.errors import MalformedRequestError, NotPermittedError
from api.identity.reach import Reach
from projections.quarter.steps import Scope
from projections.wording import Person, Wording

Answer: TypeAlias = Mapping[str, object]
InReach: TypeAlias = Callable[[Iterable[UUID]], frozenset[UUID]]
"""Gives those of some deals that the reader may see."""


def scope_within(reach: Reach, asked: Scope) -> Scope:
    """Give whose figures a question is about: what was asked for, else all that may be seen.

    A team's figures are of those who were in it at the time; whether a team may be asked about
    is told by who is in it now. Who is not there is refused as who is somebody else's.

    Raises:
        NotPermittedError: the figures of that rep or team are not theirs.
        MalformedRequestError: they have several teams, and one must be named.
    """
    if reach.teams is None and reach.figures_of is None:
        return asked
    if asked.rep or asked.team:
        if not reach.has_figures_of(asked.rep, asked.team):
            whose = Person(asked.rep) if asked.rep else f"the team {asked.team}"
            raise NotPermittedError(Wording("you may not see the figures of ", whose))
        return asked
    if not reach.figures_of:
        raise NotPermittedError("you are in no team, and so there are no figures of yours")
    teams = sorted(reach.teams or ())
    if len(teams) > 1:
        message = f"team: name one of yours: {', '.join(teams)}"
        raise MalformedRequestError(message, field="team")
    return Scope(team=teams[0]) if teams else Scope(rep=reach.identity.actor)


def without_verdicts(history: Answer) -> dict[str, object]:
    """Give a deal's timeline without what it says of quota pressure."""
    return _blank(history, "events", "pressure")


def without_gaps(movement: Any) -> dict[str, object]:
    """Give a deal's movement without where its reps stood against their quotas."""
    return {**movement, "close_date": _blank(movement["close_date"], "moves", "quota_gap")}


def without_pressure(line: Answer) -> dict[str, object]:
    """Give the line of a quota without the pressure on its rep."""
    return {**line, "pressure": None, "shortfall": None}


def within(answer: Answer, reach: Reach, in_reach: InReach) -> Answer:
    """Give figures without the rows of people and teams, and the deals, that are out of reach."""
    if reach.whole:
        return answer
    shown = {str(deal_id) for deal_id in in_reach(set(_deals_in(answer)))}
    kept: Answer = _within("", answer, reach, shown)
    return kept


def _deals_in(value: Any) -> Iterator[UUID]:
    if isinstance(value, Mapping):
        if "deal_id" in value:
            yield UUID(value["deal_id"])
        for one in value.values():
            yield from _deals_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _deals_in(one)


def _within(name: str, value: Any, reach: Reach, shown: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        inside = {key: _within(key, one, reach, shown) for key, one in value.items()}
        return _late(inside) if name == "late" else inside
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        return value
    return [
        _within("", row, reach, shown)
        for row in value
        if _has_person(name, row, reach) and ("deal_id" not in row or row["deal_id"] in shown)
    ]


def _has_person(name: str, row: Mapping[str, Any], reach: Reach) -> bool:
    if name == "teams":
        return reach.has_figures_of(None, row["team"])
    return name != "reps" or reach.has_figures_of(row["rep"], None)


def _late(told: Mapping[str, Any]) -> Answer:
    """Count what is shown of the events that were told late, and no other."""
    return {**told, "total": len(told["events"])}


def _blank(answer: Any, rows: str, name: str) -> dict[str, object]:
    return {**answer, rows: [{**row, name: None} for row in answer[rows]]}
