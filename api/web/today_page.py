"""What a rep's first page shows: what the customers are to do next, and what was promised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view, query_of
from api.web.reads import Answer
from api.web.vocabulary import EVIDENCE_LEVELS, STATUSES, Sign
from api.web.workings import Workings, of_today

MAX_OUTCOMES: Final = 3
"""Outcomes of a deal that are named; of more only their number."""
_FORMS: Final = {
    "customer": (
        "commitment_id",
        {
            "Kept": "commitment_kept",
            "Moved": "commitment_renegotiated",
            "Broken": "commitment_broken",
        },
    ),
    "seller": (
        "promise_id",
        {"Kept": "seller_promise_kept", "Broken": "seller_promise_broken"},
    ),
}
"""How something is named that waits on either side, and the forms that say what became of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a customer is to have shown before the deal moves on, and what it takes to show it.

    `record` asks for the form that is next: the tick, or once it is there the evidence.
    """

    name: str
    activity: str
    sign: Sign
    wanted: str
    record: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What somebody said they will do; `late` once the day is past.

    `records` are the forms that say what became of it, each with the query that asks for it.
    """

    deal_id: str
    event_id: str
    account: str
    what: str
    due: str
    late: bool
    words: str
    records: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DealToday:
    """An open deal, with the outcomes that its stage still lacks."""

    deal_id: str
    account: str
    name: str
    stage: str
    close_date: str
    next_step: bool
    outcomes: tuple[Outcome, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class TodayPage:
    """A rep's working day, ready for its template; no figure of a quota is in it."""

    as_of: AsOf
    rep: str
    own: bool
    query: dict[str, str]
    deals: tuple[DealToday, ...]
    theirs: tuple[Waiting, ...]
    ours: tuple[Waiting, ...]
    without: tuple[DealToday, ...]
    late: int
    workings: Workings
    records: bool


def today_page(answer: Answer, *, asked: tuple[str | None, str | None], own: bool) -> TodayPage:
    """The page for a rep's open deals; `own` where the reader is the rep."""
    waiting = sorted(
        ((deal, one) for deal in answer["deals"] for one in deal["commitments"]),
        key=lambda pair: (pair[1]["due"] is None, str(pair[1]["due"] or "")),
    )
    sides = {
        side: tuple(_waiting(deal, one) for deal, one in waiting if one["side"] == side)
        for side in ("customer", "seller")
    }
    deals = tuple(_deal(deal) for deal in answer["deals"])
    return TodayPage(
        as_of=as_of_view(answer, asked=asked),
        rep=answer["names"].get(answer["rep"], answer["rep"]),
        own=own,
        query={"rep": answer["rep"]},
        deals=deals,
        theirs=sides["customer"],
        ours=sides["seller"],
        without=tuple(deal for deal in deals if not deal.next_step),
        late=sum(one.late for found in sides.values() for one in found),
        workings=of_today(answer["deals"], answer["names"].get(answer["rep"], answer["rep"])),
        records=answer["recorded"],
    )


def _waiting(deal: Mapping[str, Any], one: Mapping[str, Any]) -> Waiting:
    late = one["status"] == "broken"
    words = {"broken": "past its day", "renegotiated": "another day was agreed"}
    return Waiting(
        deal_id=deal["deal_id"],
        event_id=one["event_id"],
        account=deal["account"],
        what=one["what"],
        due=f.day(one["due"]) if one["due"] else "no day",
        late=late,
        words=words.get(one["status"], ""),
        records=records_of(one),
    )


def records_of(one: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The forms that say what became of a commitment, each with the query that asks for it."""
    name, forms = _FORMS[one["side"]]
    return tuple(
        (text, query_of({"record": kind, name: one["id"]})) for text, kind in forms.items()
    )


def _next_form(outcome: Mapping[str, Any]) -> str:
    if outcome["status"] == "not_ticked":
        return query_of({"record": "activity_ticked", "activity": outcome["activity_id"]})
    return query_of({"record": "outcome_evidenced", "outcome": outcome["outcome_id"]})


def _deal(deal: Mapping[str, Any]) -> DealToday:
    outcomes = deal["next_outcomes"]
    return DealToday(
        deal_id=deal["deal_id"],
        account=deal["account"],
        name=f.short_name(deal["deal"], deal["account"]),
        stage=deal["stage"] or "no stage yet",
        close_date=f.day(deal["close_date"]) if deal["close_date"] else "no close date",
        next_step=deal["next_step"],
        outcomes=tuple(
            Outcome(
                name=one["outcome"],
                activity=one["activity"],
                sign=STATUSES[one["status"]],
                wanted=EVIDENCE_LEVELS[one["required_level"]],
                record=_next_form(one),
            )
            for one in outcomes[:MAX_OUTCOMES]
        ),
        left_out=max(0, len(outcomes) - MAX_OUTCOMES),
    )
