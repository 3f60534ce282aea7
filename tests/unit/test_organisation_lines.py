"""The lines of teams and reps of the page of the organisation."""

from api.web.organisation_page import lines_of


def rate(count: int, n: int, share: float | None = None) -> dict[str, object]:
    return {
        "count": count,
        "n": n,
        "share": share,
        "interval": None if share is None else [0.04, 0.62],
    }


def test_each_share_of_a_rep_stands_with_its_interval_and_counts_without_one_alone() -> None:
    reps = [
        {"rep": rep, "wins": 5, "pattern": {"window": window, "last_business_day": last_day}}
        for rep, window, last_day in (
            ("ann", rate(1, 5, 0.2), rate(2, 5, 0.4)),
            ("ben", rate(1, 5, 0.2), rate(2, 5, 0.4)),
            ("cat", rate(1, 2), rate(1, 2)),
        )
    ]
    answer = {
        "close_pattern": {"teams": [], "reps": reps},
        "pressure": {"shares": {"reps": [{"rep": "ann", "shaped": rate(7, 44, 0.159)}]}},
        "names": {"ann": "Ann"},
    }

    ann, ben, cat = lines_of(answer, "rep")

    within = "95% interval 4% to 62%"
    assert (ann.name, ann.window) == ("Ann", ("1 of 5, 20%", within))
    assert ann.last_day == ("2 of 5, 40%", within)
    assert ann.shaped == ("7 of 44, 15.9%", within)
    assert ben.shaped == ("unknown: not shown", "")
    assert cat.last_day == ("1 of 2", "")
