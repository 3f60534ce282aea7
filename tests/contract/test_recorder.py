"""The `eventsourcing` library on our log: its conformance cases, and what we added to it."""

import unittest
from typing import cast

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, OperationalError, ProgrammingError

from api.storage.event_store import EventStore
from api.storage.library import LoggedEvent, LogRecorder, PendingEvent, library_application
from api.storage.requests import NewEvent
from tests.support import recorder_cases
from tests.support.log import SCHEMA, TICK, ask, assert_gapless, new_event, said

CASES = [
    (case, name)
    for case in (recorder_cases.RecorderCases, recorder_cases.NonInterleavingCases)
    for name in unittest.defaultTestLoader.getTestCaseNames(case)
]


@pytest.fixture
def application(store: EventStore) -> "Application[str]":
    return library_application(store)


def save(application: "Application[str]", version: int, *events: NewEvent) -> list[int]:
    pending = [PendingEvent("deal:a", version + n, event) for n, event in enumerate(events)]
    return [each.notification.id for each in application.save(*pending)]


@pytest.mark.parametrize(("case", "name"), CASES, ids=[name for _, name in CASES])
def test_the_library_finds_our_recorder_sound(
    store: EventStore, case: type[recorder_cases.RecorderCases], name: str
) -> None:
    test = case(name)
    test.store = store

    test.debug()

    assert_no_pipeline_was_needed(store)


def assert_no_pipeline_was_needed(store: EventStore) -> None:
    rows = store.rows("SELECT count(*), coalesce(max(position), 0) FROM events", {})
    assert rows[0][0] == rows[0][1]


def test_all_conformance_cases_are_run() -> None:
    assert {name for _, name in CASES} >= {
        "test_insert_select",
        "test_concurrent_no_conflicts",
        "test_concurrent_throughput",
        "test",
    }


def test_an_event_comes_back_as_it_was_saved(application: "Application[str]") -> None:
    stage = said("stage_entered", stage="discovery")
    assert save(application, 1, new_event(), new_event(stage)) == [1, 2]

    read = cast("list[LoggedEvent]", list(application.events.get("deal:a", gt=0)))

    assert [each.event.data for each in read] == [TICK, stage]
    assert [each.event.position for each in read] == [1, 2]


def test_the_repository_folds_with_our_function(application: "Application[str]") -> None:
    save(application, 1, new_event(), new_event())

    def count(found: int | None, events: object) -> int:
        return (found or 0) + len(list(cast("list[LoggedEvent]", events)))

    counted = application.repository.get("deal:a", projector_func=count)  # type: ignore[type-var]  # the state of ours here is a number

    assert counted == 2


def test_a_version_that_is_taken_is_an_integrity_error(application: "Application[str]") -> None:
    save(application, 1, new_event())

    with pytest.raises(IntegrityError, match="version 1"):
        save(application, 1, new_event())
    with pytest.raises(IntegrityError, match="no gap"):
        application.recorder.insert_events(
            [
                application.mapper.to_stored_event(PendingEvent("deal:a", v, new_event()))
                for v in (2, 4)
            ]
        )


def test_one_append_takes_one_stream(application: "Application[str]") -> None:
    two = [PendingEvent(stream, 1, new_event()) for stream in ("deal:a", "deal:b")]

    with pytest.raises(ProgrammingError):
        application.save(*two)


def test_more_than_a_thousand_events_do_not_hang(store: EventStore) -> None:
    application = library_application(store)

    assert save(application, 1, *(new_event() for _ in range(3000)))[-1] == 3000
    assert assert_gapless(store) == 3000


def test_a_subscription_gives_old_and_new_events(
    store: EventStore, application: "Application[str]"
) -> None:
    save(application, 1, new_event())
    with application.recorder.subscribe(gt=0) as subscription:
        assert next(subscription).id == 1

        store.append_blocking(ask("deal:b"))

        assert next(subscription).id == 2


def test_a_database_that_is_away_is_an_operational_error(
    store: EventStore, application: "Application[str]"
) -> None:
    recorder = LogRecorder(cast("LogRecorder", application.recorder).datastore)
    with pytest.raises(ProgrammingError, match="not bound"):
        recorder.max_notification_id()
    recorder.bind(EventStore(store.dsn, schema=SCHEMA))

    with pytest.raises(OperationalError):
        recorder.insert_events(
            [application.mapper.to_stored_event(PendingEvent("deal:a", 1, new_event()))]
        )
