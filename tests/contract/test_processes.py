"""What is said of a process is what the folds of its deals say, at any moment, on both clocks.

Holds `docs/guarantees.md`: the same question gives the same answer, whatever is recorded later.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import Ledger
from api.moment import Moment
from domain.events.progress import StepFeedbackGiven
from domain.path import pinned_reference, stretches
from domain.replay import view
from projections.process.alignment import follow
from projections.process.durations import stages_json
from projections.process.paths import Landmarks, Path, Stay
from projections.progress.fold import fold
from projections.spans.fold import fold as fold_state
from tests.support.postgres import PostgresServer
from tests.support.process_logs import ACTIVITIES, process_log
from tests.support.quarter_logs import ledger_with
from tests.support.spans import Log


@pytest.fixture(params=range(3), scope="module")
def history(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[tuple[Ledger, Log, Random]]:
    """One for all tests, since none of them tells it more."""
    chance = Random(request.param)
    log = process_log(chance)
    with ledger_with(postgres_server, log) as ledger:
        yield ledger, log, chance


@pytest.fixture
def told(history: tuple[Ledger, Log, Random]) -> tuple[Ledger, Log, Random]:
    ledger, log, chance = history
    return ledger, log, copy(chance)


def moments(log: Log, chance: Random) -> Iterator[Moment]:
    """The end of the log, and moments before it: as it was then, and with hindsight."""
    for position in [log.head, *(chance.randrange(60, log.head) for _ in range(2))]:
        recorded = log.events[position - 1].recorded_at
        yield Moment(position, recorded, recorded, None)
        cut = recorded - timedelta(hours=chance.randrange(1, 1500))
        yield Moment(position, recorded, cut, cut)


@cache
def folded(log: Log, moment: Moment, version: int) -> Sequence[tuple[Path, dict[str, str]]]:
    """Every deal of a version by its own fold, with the group that it is in at each landmark."""
    known = log.known(moment.position)
    found: list[tuple[Path, dict[str, str]]] = []
    for deal_id, stream in log.streams(moment.position).items():
        events = view(stream, effective_at=moment.cut)
        state = fold_state(events)
        processes = known.processes(events)
        process = processes(pinned_reference(events))
        if state is None or state.deleted or process.version != version:
            continue
        stays = tuple(
            Stay(move.target, move.event.occurred_at, end.occurred_at if end else None)
            for move, end in stretches(events, processes)
        )
        won = None if state.closed is None else state.closed == "won"
        path = Path(deal_id, won, stays)
        groups: dict[str, str] = {}
        for stage, left_at in Landmarks(process).of(path).items():
            progress = fold(view(stream, effective_at=left_at), processes, known.policy)
            here = {a.activity: a for a in progress.activities}
            for activity, (of, _) in process.activities.items():
                if of.id == stage:
                    own = here.get(activity)
                    ticked = own is not None and own.claim is not None
                    shown = own is not None and own.reached_at() is not None
                    groups[activity] = (
                        "not_ticked" if not ticked else "evidenced" if shown else "ticked_only"
                    )
        found.append((path, groups))
    return found


def test_groups_at_landmarks_are_those_of_the_folds(told: tuple[Ledger, Log, Random]) -> None:
    ledger, log, chance = told
    seen = set()
    for moment in moments(log, chance):
        for version in range(1, 1 + len(log.known(moment.position).publications)):
            expected = folded(log, moment, version)
            known = log.known(moment.position)
            for activity in known.catalogue["linear", version].activities:
                answer: Any = ledger.processes.behind(moment, "linear", activity, version=version)
                own = {UUID(d["deal_id"]): (d["group"], d["won"]) for d in answer["deals"]}
                assert own == {
                    path.deal_id: (groups[activity], path.won)
                    for path, groups in expected
                    if activity in groups
                }
                seen |= {group for group, _ in own.values()}
    assert seen == {"evidenced", "ticked_only", "not_ticked"}


def test_times_and_fitness_are_those_of_the_folds(told: tuple[Ledger, Log, Random]) -> None:
    ledger, log, chance = told
    for moment in moments(log, chance):
        known = log.known(moment.position)
        process = known.catalogue["linear", 1]
        paths = [path for path, _ in folded(log, moment, 1)]
        answer: Any = ledger.processes.effectiveness(moment, "linear", version=1, against=None)

        stages = [stage.id for stage in process.working_stages]
        assert answer["stages"] == stages_json(stages, paths, moment.effective_at)
        fits = [
            follow(process, [stay.stage for stay in path.stays], won=path.won is True).fitness
            for path in paths
        ]
        assert answer["fitness"]["n"] == sum(fitness is not None for fitness in fits)
        assert answer["fitness"]["as_modelled"]["count"] == sum(f == 1 for f in fits)
        assert answer["deals"]["n"] == len(paths)
        assert answer["deals"]["won"] == sum(path.won is True for path in paths)


def test_what_is_asked_together_is_what_is_asked_apart(told: tuple[Ledger, Log, Random]) -> None:
    ledger, log, chance = told
    processes = ledger.processes
    for moment in moments(log, chance):
        newest = len(log.known(moment.position).publications)
        for version, against in ((newest, None), (1, newest)):
            assert processes.both(moment, "linear", version=version, against=against) == (
                processes.lint(moment, "linear", version=version),
                processes.effectiveness(moment, "linear", version=version, against=against),
            )


def test_feedback_is_that_of_the_views(told: tuple[Ledger, Log, Random]) -> None:
    ledger, log, chance = told
    for moment in moments(log, chance):
        ids = {path.deal_id for path, _ in folded(log, moment, 1)}
        events = [
            event
            for deal_id, stream in log.streams(moment.position).items()
            for event in view(stream, effective_at=moment.cut)
            if deal_id in ids and isinstance(event.data, StepFeedbackGiven)
        ]
        answer: Any = ledger.processes.effectiveness(moment, "linear", version=1, against=None)

        for activity in answer["activities"]:
            expected = {
                str(event.event_id)
                for event in events
                if isinstance(event.data, StepFeedbackGiven)
                and event.data.activity == activity["activity"]
            }
            feedback = activity["feedback"]
            assert {one["event_id"] for one in feedback["statements"]} == expected
            assert feedback["n"] == len(expected)


def test_what_was_said_at_a_position_is_said_again(told: tuple[Ledger, Log, Random]) -> None:
    ledger, log, _ = told
    position = log.head // 2
    recorded = log.events[position - 1].recorded_at
    moment = Moment(position, recorded, recorded, None)
    then = ledger.processes.effectiveness(moment, "linear", version=None, against=None)

    with ledger.store.connection() as connection:
        head = connection.execute("SELECT max(position) FROM events").fetchone()
    assert head == (log.head,)
    assert ledger.processes.effectiveness(moment, "linear", version=1, against=None) == then
    assert then["comparison"] is None


def test_the_latest_version_is_compared_with_the_one_before(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, _ = told
    recorded: datetime = log.events[-1].recorded_at
    moment = Moment(log.head, recorded, recorded, None)

    answer: Any = ledger.processes.effectiveness(moment, "linear", version=None, against=None)
    turned: Any = ledger.processes.effectiveness(moment, "linear", version=1, against=2)

    assert answer["process"] == {"id": "linear", "version": 2}
    assert answer["comparison"]["version"] == 1
    one, other = answer["comparison"], turned["comparison"]
    assert one["win_rate"]["this"] == other["win_rate"]["other"]
    assert one["win_rate"]["change"]["difference"] == -other["win_rate"]["change"]["difference"]
    assert one["stages"][0]["log_rank"]["p"] == other["stages"][0]["log_rank"]["p"]
    assert {a["activity"] for a in answer["activities"]} == set(ACTIVITIES)
