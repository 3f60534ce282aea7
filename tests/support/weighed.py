"""Deals of 56 and of 500 events, told as the sample company tells, to weigh their page by."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from api.sample.company import lines
from tests.support.ledgers import Line, import_lines, ledger_on
from tests.support.site import TOLD_ON, told_lines

USUAL: Final = 56
LONG: Final = 500
REP: Final = "victor-hale"
ONE: Final = "VH-402"
"""A deal of his with so many events, of which some are pressure-shaped."""
_ENDS: Final = frozenset(
    {"deal_won", "deal_lost", "deal_disqualified", "deal_reopened", "win_reversed", "deal_deleted"}
)
_OF_ONE: Final = frozenset({"deal_opened", "owner_changed", "deal_moved_to_process"})
_CLOSING: Final = frozenset({"closed-won", "closed-lost"})


def fill(database: str) -> None:
    """Fill a ledger with both beside a part of the company; a module keeps it."""
    with TemporaryDirectory() as folder, ledger_on(database) as ledger:
        import_lines(ledger, Path(folder), weighed_lines(), founding=True)


def weighed_lines() -> list[Line]:
    """Give what the company and both deals are told by, in the order of time."""
    told = [*told_lines(), *_one_deal(USUAL, [ONE]), *_one_deal(LONG, _deals_of(REP))]
    return sorted(told, key=lambda line: str(line["recorded_at"]))


def name_of(events: int) -> str:
    """Give the external id of the deal with so many events."""
    return f"weighed-{events}"


def _deals_of(rep: str) -> list[str]:
    opened = [line for line in lines(now=TOLD_ON) if line["type"] == "deal_opened"]
    return [str(line["stream"]).partition(":")[2] for line in opened if line["actor"] == rep]


def _one_deal(events: int, deals: Sequence[str]) -> Iterator[Line]:
    """Give the first events of these deals as those of one, which stays open if of several."""
    kept = {f"deal:{deal}" for deal in deals}
    told = [line for line in lines(now=TOLD_ON) if line["stream"] in kept]
    if len(deals) > 1:
        first = next(line for line in told if line["type"] == "deal_opened")
        told = [first, *(line for line in told if not _begins_or_ends(line))]
    for line in told[:events]:
        yield _renamed(line, events)


def _begins_or_ends(line: Line) -> bool:
    data = line["data"]
    closing = isinstance(data, dict) and data.get("stage") in _CLOSING
    return closing or line["type"] in _ENDS | _OF_ONE


def _renamed(line: Line, events: int) -> Line:
    """Give an event under ids of its own, so that it can be told beside the one it is made from."""
    name = name_of(events)
    source = str(line["stream"]).partition(":")[2]
    data = json.loads(json.dumps(line["data"]))
    for key in ("commitment_id", "promise_id", "obstacle_id"):
        if key in data:
            data[key] = f"{source} {data[key]}"
    if "event_id" in data:
        data["event_id"] = f"{name} {data['event_id']}"
    caused = {"caused_by": f"{name} {line['caused_by']}"} if "caused_by" in line else {}
    own = {"stream": f"deal:{name}", "external_id": f"{name} {line['external_id']}", "data": data}
    return {**line, **own, **caused}
