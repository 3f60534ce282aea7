"""The truth about a simulated history, apart from what was recorded of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from api.sample.journal import Json
from api.sample.record import Happening

_OF_SELLERS: Final = frozenset(
    {
        "activity_ticked",
        "close_date_moved",
        "deal_lost",
        "deal_opened",
        "deal_won",
        "discount_offered",
        "forecast_category_changed",
        "stage_entered",
    }
)


class Truth:
    """Writes a line for each act of a seller, and for each act of a customer that is missing.

    What would be recorded only after the history's end is not part of it.
    """

    def __init__(self, write: Callable[[Json], None], *, until: datetime) -> None:
        self._write = write
        self._until = until

    def saw(self, happening: Happening) -> None:
        unrecorded = happening.external_id is None
        if happening.recorded_at >= self._until:
            return
        if unrecorded or happening.type_name in _OF_SELLERS:
            self._write(_line(happening))


def _line(happening: Happening) -> Json:
    motive = happening.motive
    whose = {"quota": "seller", "customer": "customer", "routine": None}
    line: Json = {
        "external_id": happening.external_id,
        "deal": happening.deal,
        "type": happening.type_name,
        "rep": happening.rep,
        "occurred_at": _text(happening.occurred_at),
        "recorded": happening.external_id is not None,
    }
    if happening.external_id is None:
        return line
    line |= {
        "shaped": motive.driver == "quota",
        "driver": motive.driver,
        "deadline": whose[motive.driver] if motive.hurried else None,
        "pattern": motive.pattern,
    }
    if happening.type_name == "deal_opened":
        line["off_fit"] = happening.off_fit
    if happening.type_name == "discount_offered":
        line["cut"] = f"{motive.cut}"
    if happening.lost is not None:
        line["lost"] = {"amount": f"{happening.lost:.2f}", "currency": happening.currency}
    return line


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
