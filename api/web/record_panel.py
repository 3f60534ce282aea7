"""The panel of a deal's page that records events: its menu, and the form that is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.form_parts import Filled, Form
from api.web.reads import Answer
from api.web.record_choices import Offers
from api.web.record_form import Ground, form_of, recorded_since, refused
from api.web.record_words import FORMS, GROUPS, OFTEN

CUSTOMER_EVENTS: Final = 20
"""What brought an event about is chosen from so many of the customer's last ones."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What may be recorded: often, in groups, the activities to tick, and the form that is open.

    `problem` is why a form that was sent was refused which cannot be shown again.
    """

    often: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    form: Form | None
    to_tick: tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...]
    open: str
    problem: str


def record_panel(
    answer: Answer, query: Mapping[str, str], sent: Filled | None = None
) -> Panel | None:
    """The panel for what the address asks, or for a form that was sent; None for who only reads."""
    offers = answer.get("offers")
    if offers is None:
        return None
    offers = {**offers, "customer_events": _customer_events(answer)}
    takes = set(offers["takes"])
    values = sent.values if sent else {}
    name = values.get("form") or query.get("record", "")
    form = form_of(name, Ground(answer, offers, query, values))
    return Panel(
        often=tuple((one, FORMS[one].title) for one in OFTEN if one in takes),
        groups=tuple(
            (group, tuple((one, words.title) for one, words in forms.items() if one in takes))
            for group, forms in GROUPS.items()
            if takes & forms.keys()
        ),
        form=refused(form, sent, recorded_since(answer, sent)) if form and sent else form,
        to_tick=_to_tick(offers) if name == "activity_ticked" and form is None else (),
        open=name,
        problem=str(sent.error) if sent and form is None else "",
    )


def _to_tick(offers: Offers) -> tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...]:
    """The activities that are not ticked by stage, those of the deal's own stage first."""
    stages: dict[str, list[Mapping[str, Any]]] = {}
    for one in sorted(offers["activities"], key=lambda one: one["stage"] != offers["stage"]):
        if not one["ticked"]:
            stages.setdefault(one["stage_name"], []).append(one)
    return tuple((name, tuple(found)) for name, found in stages.items())


def _customer_events(answer: Answer) -> list[dict[str, str]]:
    """What the customer did last, as what an event may have been brought about by."""
    found = [
        one
        for one in answer["history"]["events"]
        if one["driver"] == "customer" and not one.get("retracted")
    ]
    return [
        {
            "id": one["event_id"],
            "name": ", ".join(
                (
                    f.event_words(one["title"], answer["names"])[:80],
                    f.day(f.day_of(one["occurred_at"])),
                )
            ),
        }
        for one in reversed(found[-CUSTOMER_EVENTS:])
    ]
