"""The answers about a quarter's replay, in the shape of the API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from domain.values import Money, decimal_text
from projections.quarter.difference import Difference, Value, totals
from projections.quarter.frames import Frame, Row, by_key
from projections.quarter.movement import Counters, Move
from projections.quarter.steps import Standing, Worth, worth_of
from projections.quarter.visits import Visit, seconds_by, stage_times
from projections.quarter.waterfall import Cell, Entry, Waterfall

Json = dict[str, object]


def waterfall_json(found: Waterfall) -> Json:
    """Give both ends and the cells in the order of the identity, each with its entries."""
    return {
        "opening": _cell(found.opening),
        **{name: _cell(cell) for name, cell in found.cells.items()},
        "closing": _cell(found.closing),
    }


def _cell(cell: Cell) -> Json:
    return {
        "deals": cell.deals,
        "amounts": _amounts(cell.amounts),
        "entries": [_entry(entry) for entry in cell.entries],
    }


def _entry(entry: Entry) -> Json:
    return {
        "deal_id": str(entry.deal_id),
        "event_id": _id(entry.event_id),
        "position": entry.position,
        "type": entry.kind,
        "amount": _worth(entry.worth),
    }


def move_json(move: Move) -> Json:
    """Give one move of a close date."""
    return {
        "deal_id": str(move.deal_id),
        "event_id": str(move.event_id),
        "position": move.position,
        "at": move.at,
        "by": move.by,
        "from": _day(move.before),
        "to": _day(move.after),
        "days": move.days,
        "quarters_crossed": move.quarters,
        "direction": move.direction,
        "cause": move.cause,
    }


def movement_json(moves: Sequence[Move], counted: Counters) -> Json:
    """Give the moves, and their counters with the events behind them."""
    return {"moves": [move_json(move) for move in moves], "counters": counters_json(counted)}


def counters_json(counted: Counters) -> Json:
    """Give how many moves of each cause, and slips, with their event ids."""
    return {
        **{cause: _counted(moves) for cause, moves in counted.causes.items()},
        "slips": _counted(counted.slips),
    }


def _counted(moves: Sequence[Move]) -> Json:
    return {"count": len(moves), "event_ids": [str(move.event_id) for move in moves]}


def visits_json(visits: Sequence[Visit], *, at: datetime) -> Json:
    """Give the visits in order and the time of each stage, those that last counted to `at`."""
    return {
        "visits": [_visit(visit, at) for visit in visits],
        "stages": [
            {"stage": s.stage, "visits": s.visits, "seconds": s.seconds, "lasts": s.lasts}
            for s in stage_times(visits, at=at)
        ],
    }


def _visit(visit: Visit, at: datetime) -> Json:
    return {
        "event_id": str(visit.event_id),
        "process": visit.process,
        "stage": visit.stage,
        "episode": visit.episode,
        "number": visit.number,
        "entered_at": visit.entered_at,
        "left_at": visit.left_at,
        "seconds": seconds_by(visit, at),
        "ended_by": _id(visit.ended_by),
        "ended_how": visit.ended_how,
    }


def difference_json(found: Sequence[Difference]) -> Json:
    """Give the deals that differ and the totals by what changed."""
    return {
        "totals": {
            what: {"deals": total.deals, "amounts": _amounts(total.amounts)}
            for what, total in totals(found).items()
        },
        "deals": [
            {
                "deal_id": str(one.deal_id),
                "before": _state(one.before),
                "after": _state(one.after),
                "changes": [
                    {"what": c.what, "before": _value(c.before), "after": _value(c.after)}
                    for c in one.changes
                ],
            }
            for one in found
        ],
    }


def _state(standing: Standing | None) -> Json | None:
    if standing is None:
        return None
    return {
        "owner": standing.owner,
        "stage": standing.stage,
        "closed": standing.closed,
        "amount": _worth(worth_of(standing)),
        "close_date": _day(standing.close_date),
        "forecast_category": standing.forecast_category,
    }


def _value(value: Value) -> object:
    match value:
        case (int(units), str(currency)):
            return _worth((units, currency))
        case date():
            return _day(value)
        case _:
            return value


def frames_json(found: Iterable[Frame]) -> list[Json]:
    """Give the frames; amounts are quantised here, once."""
    return [
        {
            "day": frame.day.isoformat(),
            "total": _group(frame.total),
            "by_stage": _groups("stage", frame.by_stage),
            "by_owner": _groups("owner", frame.by_owner),
            "by_category": _groups("category", frame.by_category),
        }
        for frame in found
    ]


def _groups(name: str, rows: Iterable[Row]) -> list[Json]:
    return [{name: key, **_group(group)} for key, group in by_key(rows).items()]


def _group(rows: Iterable[Row]) -> Json:
    kept = list(rows)
    return {
        "deals": sum(row.deals for row in kept),
        "amounts": [
            _money(Money.model_construct(amount=row.amount, currency=row.currency).quantised())
            for row in kept
            if row.currency is not None
        ],
    }


def _amounts(units: Mapping[str, int]) -> list[Json]:
    return [_money(Money.of_minor_units(amount, currency)) for currency, amount in units.items()]


def _worth(worth: Worth | None) -> Json | None:
    return None if worth is None else _money(Money.of_minor_units(*worth))


def _money(money: Money) -> Json:
    return {"amount": decimal_text(money.amount), "currency": money.currency}


def _id(event_id: UUID | None) -> str | None:
    return None if event_id is None else str(event_id)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
