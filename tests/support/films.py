"""The tape of a quarter's board at any instant, held against what the API answers of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from projections.quarter.board_scene import Film

BEFORE: Final = timedelta(microseconds=1)


def instants(film: Film, chance: Random, count: int) -> Iterator[datetime]:
    """Instants at which something changes, just before one, and anywhere, the end most of all."""
    places = len(film.tape["instants"])
    for number in range(count):
        if number % 3 == 0:
            yield film.instant(chance.randrange(1, places))
        elif number % 3 == 1:
            yield film.instant(chance.randrange(1, places)) - BEFORE
        else:
            yield film.start + (film.end - film.start) * (1 - chance.random() ** 2)


def units(film: Film, amounts: list[dict[str, str]]) -> dict[str, int]:
    digits = dict(film.tape["currencies"])
    return {
        one["currency"]: int(Decimal(one["amount"]).scaleb(digits[one["currency"]]))
        for one in amounts
        if Decimal(one["amount"])
    }


def assert_figures(film: Film, at: datetime, answer: Mapping[str, Any]) -> None:
    """Hold the figures of a film at an instant against the quarter as answered then."""
    place = film.place(at)
    open_deals, due = answer["pipeline"]["open"], answer["pipeline"]["closing_in_quarter"]
    assert dict(film.amounts("open", place)) == units(film, open_deals["amounts"])
    assert dict(film.amounts("due", place)) == units(film, due["amounts"])
    assert film.figure("open_deals", place) == open_deals["deals"]
    assert film.figure("due_deals", place) == due["deals"]
    counts = answer["progress"]["counts"]
    assert film.figure("checkbox_only", place) == counts["asserted_only"] + counts["bare_tick"]
    assert film.figure("shaped", place) == answer["pressure"]["shaped"], at
    quotas = [line for line in answer["reps"] if line["quota"] is not None]
    for name in ("quota", "attained"):
        whole = sum(Decimal(line[name]["amount"]) * 100 for line in quotas) if quotas else None
        if name == "attained" and any(line["unconverted"] for line in quotas):
            whole = None
        assert film.figure(name, place) == whole, (name, at)
