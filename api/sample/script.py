"""Scenes of scripted deals: a day, and what happens on it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

from api.sample.activities import learn, show
from api.sample.process import COMMIT, DISCOVER, PROPOSAL, QUALIFY, SOLUTION
from api.sample.pursuit import DAY, Act, Pursuit

Scene: TypeAlias = tuple[date, Act]

HOUR: Final = timedelta(hours=1)


def opened(version: int, close_date: date) -> Act:
    def act(pursuit: Pursuit) -> None:
        pursuit.open(version=version, close_date=close_date)
        pursuit.enter(QUALIFY)
        learn(pursuit, QUALIFY)

    return act


def enter(stage: str) -> Act:
    def act(pursuit: Pursuit) -> None:
        pursuit.enter(stage)
        learn(pursuit, stage)

    return act


def ticked(*activities: str) -> Act:
    def act(pursuit: Pursuit) -> None:
        for activity in activities:
            pursuit.tick(activity)

    return act


def reached(*activities: str) -> Act:
    """The customer shows the outcome, then the box is ticked."""

    def act(pursuit: Pursuit) -> None:
        for activity in activities:
            show(pursuit, activity, for_good=True)
            pursuit.at += HOUR / 4
            pursuit.tick(activity)

    return act


def claimed(outcome: str, statement: str) -> Act:
    def act(pursuit: Pursuit) -> None:
        pursuit.evidence(outcome, level=1, by=None, statement=statement)

    return act


def noted(text: str) -> Act:
    return lambda pursuit: _told(pursuit, "note_added", text=pursuit.say(text))


def _told(pursuit: Pursuit, type_name: str, **data: object) -> None:
    pursuit.state(type_name, data)


def asked_and_offered(percent: int, *, level: int = 3) -> Act:
    """The customer asks for a better price and gets one."""

    def act(pursuit: Pursuit) -> None:
        cause = pursuit.request("discount", level=level)
        pursuit.at += HOUR
        pursuit.offer(percent, caused_by=cause, requested_by="customer", reason="Three-year term")

    return act


def committed(kind: str, due: date, *, kept: bool = True) -> Act:
    def act(pursuit: Pursuit) -> None:
        named = pursuit.commitment(kind, due=due)
        days = (due - pursuit.today).days
        ending = "commitment_kept" if kept else "commitment_broken"
        pursuit.plan_in(
            max(0, days) + (0 if kept else 5),
            lambda later: _told(later, ending, commitment_id=named),
        )

    return act


def lost(reason: str, competitor: str | None = None) -> Act:
    return lambda pursuit: pursuit.lose(reason, competitor)


def worked(start: date, close_date: date, *, version: int) -> Sequence[Scene]:
    """Give the first eight weeks of a deal that is worked well, up to the proposal."""
    return (
        (start, opened(version, close_date)),
        (start + 3 * DAY, reached("check-fit", "ask-why-now")),
        (start + 7 * DAY, committed("people", start + 14 * DAY)),
        (start + 8 * DAY, enter(DISCOVER)),
        (start + 13 * DAY, reached("meet-decision-makers", "goal-workshop")),
        (start + 17 * DAY, reached("map-alternatives")),
        (start + 22 * DAY, enter(SOLUTION)),
        (start + 28 * DAY, reached("demonstrate-on-their-data")),
        (start + 34 * DAY, reached("reference-visit")),
        (start + 38 * DAY, enter(PROPOSAL)),
        (start + 42 * DAY, asked_and_offered(8)),
    )


def concluded(start: date) -> Sequence[Scene]:
    """Give the weeks from the proposal to settled terms, with the customer ahead."""
    return (
        (start, reached("business-case", "send-proposal")),
        (start + 4 * DAY, reached("security-review")),
        (start + 7 * DAY, committed("budget", start + 10 * DAY)),
        (start + 8 * DAY, enter(COMMIT)),
        (start + 11 * DAY, reached("agree-plan", "agree-terms")),
    )
