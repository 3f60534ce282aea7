"""Whose a deal is, as its events have it now."""

from api.identity.reach import owner_of, owners_of
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import OwnerChanged
from tests.support.histories import history_of, id_of
from tests.support.told import opened, tick

TO_BEN = OwnerChanged(owner="ben")
TO_CYD_INSTEAD = EventAmended.model_validate(
    {"event_id": id_of(2), "data": {"owner": "cyd"}, "reason": "Typed wrongly"}
)


def retract(number: int) -> EventRetracted:
    return EventRetracted(event_id=id_of(number), reason="Told by mistake")


def test_the_last_who_was_given_a_deal_owns_it() -> None:
    assert owners_of(history_of(tick("demo"), TO_BEN)) == (opened().owner, "ben")


def test_an_owner_that_was_corrected_owned_nothing() -> None:
    assert owners_of(history_of(TO_BEN, TO_CYD_INSTEAD)) == (opened().owner, "cyd")
    assert owner_of(history_of(TO_BEN, retract(2))) == opened().owner


def test_a_correction_that_was_taken_back_corrects_nothing() -> None:
    assert owner_of(history_of(TO_BEN, TO_CYD_INSTEAD, retract(3))) == "ben"


def test_a_deal_without_events_is_nobodys() -> None:
    assert owner_of(()) is None
