"""PR-1: the rate of off-fit deals opened while behind, by rep, with how sure it is."""

from collections.abc import Iterable
from typing import Any

import pytest

from projections.pressure.off_fit import Fit, Opened, off_fit
from projections.pressure.rules import Truth
from tests.support.told import named


def opened(fits: Iterable[Fit | None], *, behind: Truth = True, rep: str = "ann") -> list[Opened]:
    return [
        Opened(named(f"{rep} {behind} {n}"), rep, behind, fit, named(f"fit {n}") if fit else None)
        for n, fit in enumerate(fits)
    ]


def rates(found: list[Opened]) -> Any:
    return off_fit(found)


def test_the_rate_is_of_those_found_to_fit_or_not_with_its_interval() -> None:
    rate = rates(opened(["out", "out", "in", "in", "in", "unclear", None]))["behind"]

    assert (rate["off_fit"], rate["assessed"], rate["opened"]) == (2, 5, 7)
    assert rate["rate"] == 0.4
    # Wilson 1927 for 2 of 5, as statsmodels gives it.
    assert rate["interval"] == pytest.approx([0.117621, 0.769276], abs=1e-6)
    assert rate["evidence"] == [
        str(named(name)) for name in ("ann True 0", "fit 0", "ann True 1", "fit 1")
    ]


def test_of_fewer_than_five_only_counts_are_given() -> None:
    rate = rates(opened(["out", "out", "in", "in"]))["behind"]

    assert (rate["off_fit"], rate["assessed"]) == (2, 4)
    assert rate["rate"] is None
    assert rate["interval"] is None


def test_deals_opened_otherwise_and_with_unknown_pressure_are_told_apart() -> None:
    found = rates(
        [
            *opened(["out"]),
            *opened(["in", "out"], behind=False),
            *opened(["out"], behind=None),
        ]
    )

    assert found["behind"]["off_fit"] == 1
    assert (found["not_behind"]["off_fit"], found["not_behind"]["assessed"]) == (1, 2)
    assert found["pressure_unknown"] == 1


def test_each_rep_is_told_in_the_order_of_ids() -> None:
    found = rates([*opened(["out"], rep="bob"), *opened(["in", "in"])])

    assert [(r["rep"], r["behind"]["off_fit"], r["behind"]["assessed"]) for r in found["reps"]] == [
        ("ann", 0, 2),
        ("bob", 1, 1),
    ]
    assert found["behind"]["assessed"] == 3


def test_nothing_opened_is_no_rate() -> None:
    found = rates([])

    assert found["behind"]["rate"] is None
    assert found["reps"] == []
