"""What an import does where a source came to state otherwise what it told before."""

from datetime import timedelta

import pytest

from api.storage.event_store import EventStore
from api.storage.requests import NewEvent, new_event_id
from api.storage.staged_lines import StagedLine, deal_stream_of
from domain.events.base import DomainEvent
from domain.events.honesty import EventAmended
from domain.replay import view
from tests.contract.test_staging import Loaded, line, load
from tests.support.log import NOON, appended, ask, assert_gapless, said

DAY = timedelta(days=1)
DEAL = deal_stream_of("crm", "D01")


def lost(reason: str, *, stated: int | None, external_id: str = "L1") -> StagedLine:
    """A loss with its reason, as an export of so many days later states it."""
    at = None if stated is None else NOON + stated * DAY
    return line(external_id)._replace(data=said("deal_lost", reason=reason), stated_at=at)


def offered(percent: str, *, day: int) -> StagedLine:
    data = said("discount_offered", percent=percent)
    return line("P1", occurred=NOON + day * DAY)._replace(data=data, stated_at=NOON + day * DAY)


def standing(store: EventStore) -> list[DomainEvent]:
    return [event.data for event in view(store.stream(DEAL))]


def reasons(load: Loaded) -> list[str]:
    return [reject.reason.split(":")[0] for reject in load.rejects]


def test_what_a_newer_export_states_otherwise_amends_what_an_older_one_did(
    store: EventStore,
) -> None:
    load(store, [lost("Price", stated=1)])

    report = load(store, [lost("Timing", stated=3)])

    assert (report.appended, report.duplicates, report.rejects) == (1, 0, ())
    first, amendment = store.stream(DEAL)
    assert amendment.data == EventAmended.model_validate(
        {
            "event_id": first.event_id,
            "data": {"reason": "Timing"},
            "reason": "A newer export states it so.",
        }
    )
    assert (amendment.occurred_at, amendment.channel) == (NOON + 3 * DAY, "import")
    assert amendment.source is not None
    assert amendment.source.external_id == "L1:stated:2025-04-03T12:00:00.000000Z"
    assert standing(store) == [said("deal_lost", reason="Timing")]


def test_exports_of_any_age_again_change_nothing(store: EventStore) -> None:
    exports = [lost("Price", stated=1), lost("Timing", stated=3), lost("Price", stated=5)]
    for each in exports:
        load(store, [each])
    assert assert_gapless(store) == 3

    for each in (*exports, lost("Budget", stated=2), *exports):
        report = load(store, [each])
        assert (report.appended, report.duplicates, report.rejects) == (0, 1, ())

    assert standing(store) == [said("deal_lost", reason="Price")]


@pytest.mark.parametrize("stated", [1, 2])
def test_an_older_export_after_a_newer_one_amends_nothing(store: EventStore, stated: int) -> None:
    moved = line("M1", recorded=NOON + 3 * DAY)._replace(
        data=said("close_date_moved", to="2025-09-30"), stated_at=NOON + 5 * DAY
    )
    load(store, [lost("Timing", stated=5), moved])

    report = load(store, [lost("Price", stated=stated)])
    newer = load(store, [lost("Budget", stated=6)])

    assert (report.appended, reasons(report)) == (0, ["changed"])
    assert (newer.appended, newer.rejects) == (1, ())


def test_what_is_told_of_a_deal_beside_its_own_changes_makes_no_export_older(
    store: EventStore,
) -> None:
    load(store, [lost("Price", stated=1), line("T1", recorded=NOON + 3 * DAY)])

    report = load(store, [lost("Timing", stated=2)])

    assert (report.appended, report.rejects) == (1, ())


def test_the_same_line_twice_restates_once(store: EventStore) -> None:
    load(store, [lost("Price", stated=1)])

    report = load(store, [lost("Timing", stated=3), lost("Timing", stated=3)])

    assert (report.appended, report.duplicates, report.rejects) == (1, 1, ())


@pytest.mark.parametrize(
    "later",
    [
        lost("Timing", stated=None),
        lost("Timing", stated=3)._replace(occurred_at=NOON + DAY),
        lost("Timing", stated=3)._replace(stream="deal:D02"),
        lost("Timing", stated=3)._replace(data=said("deal_disqualified", reason="Timing")),
    ],
)
def test_what_is_said_for_ever_or_is_something_else_is_rejected(
    later: StagedLine, store: EventStore
) -> None:
    load(store, [lost("Price", stated=1)])

    report = load(store, [later])

    assert (report.appended, reasons(report)) == (0, ["changed"])


def test_two_statements_of_one_time_are_not_told_apart(store: EventStore) -> None:
    load(store, [lost("Price", stated=1)])
    load(store, [lost("Timing", stated=3)])

    report = load(store, [lost("Budget", stated=3)])

    assert (report.appended, reasons(report)) == (0, ["changed"])


def test_what_somebody_corrected_is_not_amended_by_an_export(store: EventStore) -> None:
    load(store, [lost("Price", stated=1)])
    (event,) = store.stream(DEAL)
    correction = said(
        "event_amended",
        event_id=str(event.event_id),
        data={"reason": "Quality"},
        reason="They said so",
    )
    told = NewEvent(
        event_id=new_event_id(), data=correction, occurred_at=NOON + 2 * DAY, actor="ana"
    )
    appended(store.append_blocking(ask(DEAL, told)))

    same = load(store, [lost("Price", stated=3)])
    other = load(store, [lost("Timing", stated=3)])

    assert (same.duplicates, same.rejects) == (1, ())
    assert (other.appended, reasons(other)) == (0, ["changed"])
    assert standing(store) == [said("deal_lost", reason="Quality")]


def test_a_price_changed_since_is_another_offer_and_the_same_price_is_none(
    store: EventStore,
) -> None:
    load(store, [offered("10", day=1)])

    deeper = load(store, [offered("20", day=3)])
    touched = load(store, [offered("20", day=5)])
    again = load(store, [offered("20", day=3)])
    older = load(store, [offered("10", day=2)])
    other = load(store, [offered("30", day=1)])

    assert [one.appended for one in (deeper, touched, again, older, other)] == [1, 0, 0, 0, 0]
    assert [one.duplicates for one in (touched, again, older)] == [1, 1, 1]
    assert reasons(other) == ["changed"]
    assert standing(store) == [
        said("discount_offered", percent="10"),
        said("discount_offered", percent="20"),
    ]
    assert [event.occurred_at for event in store.stream(DEAL)] == [NOON + DAY, NOON + 3 * DAY]
