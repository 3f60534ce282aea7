"""What a field of an event's form may be chosen from, and what it says before anybody typed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final, TypeAlias

from api.web import format as f
from api.web.payload_fields import Leaf
from api.web.reads import Answer
from api.web.record_words import CHOICES, FIRMNESS, LEVELS


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose, under a heading if there are several."""

    value: str
    name: str
    group: str = ""


Offers: TypeAlias = Mapping[str, Any]
_NEW_NAMES: Final = frozenset(
    {
        "customer_commitment_recorded.commitment_id",
        "seller_promise_made.promise_id",
        "obstacle_recorded.obstacle_id",
    }
)
"""Names that something new gets: made here, because nobody needs to think of one."""


def is_new_name(kind: str, path: str) -> bool:
    """Say whether a field gives something new its name."""
    return f"{kind}.{path}" in _NEW_NAMES


def choices_of(kind: str, path: str, field: Leaf, offers: Offers) -> tuple[Choice, ...] | None:
    """Give what a field is chosen from; None where it is typed."""
    last = path.rpartition(".")[2]
    if is_new_name(kind, path):
        return None
    if last == "level":
        words = FIRMNESS if kind == "customer_commitment_recorded" else LEVELS
        return tuple(Choice(value, words[value]) for value in field.choices)
    if field.choices and field.asked != "number":
        return tuple(Choice(value, _words(path, value)) for value in field.choices)
    found = _OFFERED.get(f"{kind}.{last}") or _OFFERED.get(last)
    if found is None:
        return None
    offered = tuple(found(offers))
    return offered if offered or last not in _TYPED_WITHOUT else None


def defaults(kind: str, deal: Answer, offers: Offers) -> dict[str, str]:
    """Give what a form says beforehand, by the path of the field in the event's payload."""
    amount = deal.get("amount") or {}
    of_deal: dict[str, object] = {
        "amount_changed.amount.amount": amount.get("amount"),
        "close_date_moved.to": deal.get("close_date"),
        "deal_won.net.amount": amount.get("amount"),
        "deal_won.closed_on": offers["today"],
        "forecast_category_changed.category": deal.get("forecast_category"),
        "gate_decided.stage": offers.get("stage"),
        "stage_entered.stage": offers.get("next_stage"),
        "deal_opened.owner": offers.get("reader"),
        "credit_split_set.shares": f"{deal['owner']['name']}: 1" if deal.get("owner") else None,
    }
    of_deal |= dict.fromkeys(_NEW_NAMES, token_hex(6))
    found = {
        name.partition(".")[2]: str(value)
        for name, value in of_deal.items()
        if value and name.startswith(f"{kind}.")
    }
    currencies: tuple[str, ...] = ("amount.currency", "net.currency", "list.currency")
    return dict.fromkeys(currencies, str(offers["currency"])) | found


def _words(path: str, value: str) -> str:
    last = path.rpartition(".")[2]
    return CHOICES.get(f"{last}.{value}") or CHOICES.get(value) or f.words_of(value)


def _of(name: str) -> Callable[[Offers], Iterable[Choice]]:
    return lambda offers: (Choice(one["id"], _with_day(one)) for one in offers.get(name, ()))


def _with_day(offer: Mapping[str, Any]) -> str:
    due = offer.get("due")
    return f"{offer['name']} (due {f.day(due)})" if due else str(offer["name"])


def _activities(*, ticked: bool | None) -> Callable[[Offers], Iterable[Choice]]:
    def found(offers: Offers) -> Iterable[Choice]:
        return (
            Choice(one["id"], one["name"], one["stage_name"])
            for one in offers["activities"]
            if ticked in (None, one["ticked"])
        )

    return found


def _outcomes(offers: Offers) -> Iterable[Choice]:
    return (
        Choice(outcome["id"], outcome["name"], activity["stage_name"])
        for activity in offers["activities"]
        for outcome in activity["outcomes"]
    )


_OFFERED: Final[Mapping[str, Callable[[Offers], Iterable[Choice]]]] = {
    "stage": _of("stages"),
    "activity_ticked.activity": _activities(ticked=False),
    "activity_unticked.activity": _activities(ticked=True),
    "activity": _activities(ticked=None),
    "outcome": _outcomes,
    "unmet": _outcomes,
    "commitment_id": _of("commitments"),
    "promise_id": _of("promises"),
    "obstacle_id": _of("obstacles"),
    "evidence_withdrawn.event_id": _of("evidence"),
    "owner": _of("people"),
    "rep": _of("people"),
    "process": _of("processes"),
    "caused_by": _of("customer_events"),
}
"""By the name of a field, after the type of its event where it is another there."""
_TYPED_WITHOUT: Final = frozenset({"owner", "rep"})
"""Typed where nobody belongs to a team yet."""
