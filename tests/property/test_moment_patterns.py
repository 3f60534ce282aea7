"""The published patterns of days and instants fit what is accepted, leap days among it."""

import re
from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from api.http.moments import DAY_PATTERN, INSTANT_PATTERN
from domain.values import local_date, utc_instant

DAYS = st.dates(date(1890, 1, 1), date(3010, 1, 1)).map(date.isoformat)
NEAR_LEAP = st.builds(
    lambda year, days: (date(year, 2, 27) + timedelta(days)).isoformat(),
    st.integers(1890, 3010),
    st.integers(0, 3),
)
ODD = st.from_regex(r"(18|19|20|29|30)[0-9]{2}-[0-9]{2}-[0-9]{2}", fullmatch=True)
TIMES = st.from_regex(
    r"T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|[+-][0-2][0-9]:[0-6][0-9])",
    fullmatch=True,
)


def is_day(text: str) -> bool:
    try:
        local_date(text)
    except ValueError:
        return False
    return True


@example("1900-02-29")
@example("2000-02-29")
@example("2100-02-29")
@example("1904-02-29")
@given(DAYS | NEAR_LEAP | ODD)
def test_the_pattern_of_days_says_what_is_accepted(text: str) -> None:
    assert (re.fullmatch(DAY_PATTERN, text) is not None) == is_day(text)


@given(DAYS | NEAR_LEAP | ODD, TIMES)
def test_the_pattern_of_instants_says_what_is_accepted(day: str, time: str) -> None:
    text = day + time
    promised = re.fullmatch(INSTANT_PATTERN, text) is not None

    try:
        taken = utc_instant(text)
    except ValueError:
        # Within a day of the first and the last year it is the zone that decides.
        assert not promised or day[:4] in {"1970", "2999"}
    else:
        assert promised or f"{taken.year}" != day[:4]
