"""The forms of events: each tells what the API would be told, and shows what is wrong with it."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.form_parts import Filled, Form
from api.web.payload_fields import fields_of, filled, leaves
from api.web.reads import FormError, MovedOnError, SentBeforeError
from api.web.record_body import body_of
from api.web.record_choices import choices_of
from api.web.record_form import Ground, form_of, opening_form, recorded_since, refused
from api.web.record_words import CORRECTIONS, FORMS
from domain.events.catalogue import STREAM_KINDS, TYPES_BY_NAME

GOLDEN: Final = sorted((Path(__file__).parents[1] / "golden").glob("deal.*.json"))
DEAL: Final = [name for name, kind in STREAM_KINDS.items() if kind == "deal"]
WITHOUT_A_FORM: Final = {"deal_opened", "deal_deleted", "history_gap", *CORRECTIONS}
"""What has another form, or is told by a source only."""
ACTIVITY: Final = {
    "id": "demo",
    "name": "Demonstrate",
    "purpose": "To see",
    "stage": "solution",
    "stage_name": "Solution",
    "ticked": False,
    "outcomes": [
        {"id": "seen", "name": "They saw it", "required_level": 3},
        {"id": "liked", "name": "They liked it", "required_level": 4},
    ],
}
OFFERS: Final[dict[str, Any]] = {
    "today": "2026-03-01",
    "currency": "USD",
    "stage": "solution",
    "next_stage": "proposal",
    "stages": [{"id": "solution", "name": "Solution"}, {"id": "proposal", "name": "Proposal"}],
    "activities": [ACTIVITY],
}


def ground(query: dict[str, str] | None = None, **typed: str) -> Ground:
    answer = {
        "as_of": {"position": 12},
        "deal": {"deal_id": "d"},
        "history": {
            "events": [
                {
                    "event_id": f"e{position}",
                    "position": position,
                    "type": "discount_offered",
                    "title": f"Event {position}",
                    "rep": "Ann",
                    "recorded_at": "2026-03-01T10:00:00Z",
                    "occurred_at": "2026-03-01T10:00:00Z",
                    "data": {"percent": "10"},
                    "amended": {"data": {"percent": "12"}} if position == 11 else None,
                    "retracted": {"event_id": "x"} if position == 10 else None,
                }
                for position in (10, 11, 12)
            ]
        },
        "names": {},
    }
    return Ground(answer, OFFERS, query or {}, typed)


def made(name: str, query: dict[str, str] | None = None) -> Form:
    form = form_of(name, ground(query))
    assert form is not None
    return form


def values_of(form: Form) -> dict[str, str]:
    return {one.name: one.value for one in form.fields} | {"key": form.key, "seen": "11"}


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_every_event_is_told_by_a_form_as_it_is_stored(path: Path) -> None:
    name, payload = path.name.split(".")[1], json.loads(path.read_bytes())
    fields = fields_of(name, amended="discount_offered")
    assert fields is not None

    values = filled(fields, payload, "events[0].data")

    assert values.keys() <= {name for name, _ in leaves(fields, "events[0].data")}
    form = {"events[0].type": name, "amended_type": "discount_offered", **values}
    assert body_of(form).content == {"events": [{"type": name, "data": payload}]}


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs", "Cc"])))
def test_a_text_arrives_as_it_was_typed_whatever_a_browser_ends_lines_with(text: str) -> None:
    typed = f"a{text}\nb"
    form = {"events[0].type": "note_added", "events[0].data.text": typed.replace("\n", "\r\n")}

    content = body_of(form).content

    assert content == {"events": [{"type": "note_added", "data": {"text": typed}}]}


def test_every_event_that_people_tell_has_a_form() -> None:
    assert set(DEAL) == FORMS.keys() | (WITHOUT_A_FORM & TYPES_BY_NAME.keys())


@pytest.mark.parametrize("name", [name for name in FORMS if name != "activity_ticked"])
def test_a_form_asks_for_every_field_of_its_event(name: str) -> None:
    fields = fields_of(name)
    assert fields is not None

    asked = {one.name for one in made(name).parts[0].fields}

    assert asked == {path for path, _ in leaves(fields, "events[0].data")}


def test_a_tick_asks_for_its_outcomes_beside_it_and_tells_those_that_are_shown() -> None:
    form = made("activity_ticked", {"activity": "demo"})
    values = {f"events[{n}].type": part.kind for n, part in enumerate(form.parts)}
    values |= values_of(form)

    assert [part.legend for part in form.parts] == ["", "They saw it", "They liked it"]
    alone = body_of(values)
    assert alone.content == {"events": [{"type": "activity_ticked", "data": {"activity": "demo"}}]}

    shown = body_of(values | {"events[2].data.level": "4", "occurred_at": "2026-03-01T10:30"})

    at = "2026-03-01T10:30:00Z"
    assert shown.content == {
        "events": [
            {"type": "activity_ticked", "occurred_at": at, "data": {"activity": "demo"}},
            {
                "type": "outcome_evidenced",
                "occurred_at": at,
                "data": {"outcome": "liked", "level": 4},
            },
        ]
    }
    assert shown.field_of("events[1].data.level") == "events[2].data.level"
    assert shown.field_of("events[1].occurred_at") == "occurred_at"


def test_an_amount_is_told_with_its_currency_or_not_at_all() -> None:
    values = values_of(made("discount_offered"))
    assert values["events[0].data.list.currency"] == "USD"
    told = values | {"events[0].type": "discount_offered", "events[0].data.percent": "5"}

    assert body_of(told).content == {
        "events": [{"type": "discount_offered", "data": {"percent": "5"}}]
    }


def test_a_form_says_beforehand_what_the_deal_and_the_address_say() -> None:
    assert values_of(made("stage_entered"))["events[0].data.stage"] == "proposal"
    named = made("stage_entered", {"stage": "solution"})
    assert values_of(named)["events[0].data.stage"] == "solution"
    gate = values_of(made("gate_decided"))
    assert gate["events[0].data.stage"] == "solution"


def test_what_is_amended_is_what_stands_and_nothing_retracted_is() -> None:
    form = made("event_amended", {"event": "e11"})

    assert values_of(form)["events[0].data.data.percent"] == "12"
    assert form.hidden == {"amended_type": "discount_offered"}
    assert form_of("event_amended", ground({"event": "e10"})) is None
    assert form_of("undo", ground({"event": "none"})) is None


def again(form: Form, error: FormError) -> Form:
    """Show a form again that was sent from an earlier page, and so under an earlier key."""
    sent = Filled(values_of(form) | {"key": "sent"}, error)
    return refused(form, sent, recorded_since(ground().answer, sent))


def test_what_is_wrong_stands_beside_its_field_and_the_rest_above() -> None:
    form = made("deal_won")
    errors = [
        ("events[0].data.net", "missing"),
        ("events[0].data.closed_on", "expected a date"),
        ("events[0].type", "the deal is closed"),
    ]

    shown = again(form, FormError("all of it", errors=errors))

    beside = {one.name: one.error for one in shown.fields if one.error}
    assert beside == {
        "events[0].data.net.amount": "This is needed.",
        "events[0].data.closed_on": "Expected a date.",
    }
    assert shown.problem == "The deal is closed."
    assert (shown.key, shown.seen) == ("sent", 11)


def test_a_refusal_is_told_with_days_names_and_kinds_of_event_as_pages_have_them() -> None:
    form = made("stage_entered")
    too_early = (
        "occurred_at 2026-02-28T10:00:00+00:00 lies before the deal was opened, on"
        " 2026-03-01T09:30:00+00:00"
    )
    errors = [
        ("occurred_at", too_early),
        ("events[0].data.stage", "the deal is in stage 'proposal' already"),
        ("events[0].type", "stage_entered needs an open deal, so reopen it first"),
    ]

    shown = again(form, FormError("all of it", errors=errors))

    assert [one.error for one in shown.fields if one.error] == [
        "The deal is in stage “Proposal” already.",
        "28 Feb 2026, 10:00 UTC lies before the deal was opened, on 1 Mar 2026, 09:30 UTC.",
    ]
    assert shown.problem == "“Stage entered” needs an open deal, so reopen it first."


def test_what_is_wrong_inside_a_list_stands_beside_the_list() -> None:
    error = FormError("", errors=[("events[0].data.unmet[2]", "too long")])

    shown = again(made("gate_decided"), error)

    assert [one.name for one in shown.fields if one.error] == ["events[0].data.unmet"]


def test_who_was_not_first_sees_what_is_new_and_sends_on_top_of_it() -> None:
    form = made("note_added")

    shown = again(form, MovedOnError("moved", status=412))

    assert [one.address for one in shown.since] == ["#e-e12"]
    assert (shown.key, shown.seen, shown.moved) == ("sent", 12, True)
    assert again(form, FormError("x")).since == ()


def test_a_form_whose_key_is_used_goes_on_under_another() -> None:
    form = made("note_added")

    shown = again(form, SentBeforeError("sent"))

    assert shown.key == form.key
    assert shown.again


def test_a_deal_is_opened_with_the_stage_that_it_begins_in() -> None:
    form = opening_form(ground())

    assert [part.kind for part in form.parts] == ["deal_opened", "stage_entered", ""]
    assert form.parts[0].fields[0].name == "events[0].data.account.name"
    assert not any(one.required for one in form.parts[1].fields)
    needed = {one.name for one in form.parts[0].fields if one.required}
    assert needed == {f"events[0].data.{n}" for n in ("name", "account.name", "owner")}


def test_people_are_typed_where_nobody_belongs_to_a_team_yet() -> None:
    fields = fields_of("owner_changed")
    assert fields is not None
    ((_, leaf),) = leaves(fields, "")

    assert choices_of("owner_changed", "owner", leaf, OFFERS | {"people": []}) is None
    people = {"people": [{"id": "ann", "name": "Ann"}]}
    found = choices_of("owner_changed", "owner", leaf, OFFERS | people)
    assert found is not None
    assert [one.name for one in found] == ["Ann"]
