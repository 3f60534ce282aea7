"""The review sheet of a deal at an instant, in the shape of the API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.acts import word_of
from domain.commitments import Commitment
from projections.names import NO_NAMES, Names
from projections.review.fold import TEXTS, Question, Sheet
from projections.review.gates import Gate, Unmet
from projections.review.health import Flag, colour_of
from projections.said import age_days, said_json


def answer(
    sheet: Sheet,
    gates: Iterable[Gate],
    flags: Sequence[Flag],
    commitments: Iterable[Commitment],
    at: datetime,
    *,
    names: Names = NO_NAMES,
) -> dict[str, object]:
    """Give the six questions, blank ones first, the decided gates and the health flags."""
    stated = {one.event_id: one for one in commitments}
    return {
        "last_review": said_json(sheet.last_review, at, names) if sheet.last_review else None,
        "questions": [_question(one, stated, at, names) for one in sheet.questions],
        "gates": [_gate(gate, at, names) for gate in gates],
        "health": {"colour": colour_of(flags), "flags": [_flag(flag) for flag in flags]},
    }


def _question(
    question: Question, stated: Mapping[UUID, Commitment], at: datetime, names: Names
) -> dict[str, object]:
    by_customer = (e for e in question.answers if word_of(e)[0] == "customer")
    latest = next(by_customer, None)
    return {
        "name": question.name,
        "question": TEXTS[question.name],
        "state": question.state,
        "missing": list(question.missing),
        "latest_by_customer": str(latest.event_id) if latest else None,
        "answers": [
            {**said_json(event, at, names), **_due(stated.get(event.event_id), at)}
            for event in question.answers
        ],
    }


def _due(one: Commitment | None, at: datetime) -> dict[str, object]:
    return {"due": one.due if one else None, "status": one.status(at) if one else None}


def _gate(gate: Gate, at: datetime, names: Names) -> dict[str, object]:
    said = said_json(gate.event, at, names)
    return {
        "stage": gate.stage,
        "decision": gate.decision,
        "overridden": gate.overridden,
        "detail": said["detail"],
        "decided_by": said["recorded_by"],
        "decided_at": gate.event.occurred_at,
        "age_days": age_days(gate.event.occurred_at, at),
        "event_id": str(gate.event.event_id),
        "unmet_from": gate.unmet_from,
        "unmet": [_unmet(one) for one in gate.unmet],
        "still_unmet": list(gate.still_unmet),
    }


def _unmet(one: Unmet) -> dict[str, object]:
    shown = one.evidence
    return {
        "outcome": one.outcome,
        "required_level": one.required_level,
        "met": shown is not None,
        "level": shown.level if shown else None,
        "met_at": shown.occurred_at if shown else None,
        "event_id": str(shown.event_id) if shown else None,
    }


def _flag(flag: Flag) -> dict[str, object]:
    return {
        "flag": flag.flag,
        "colour": flag.colour,
        "holds": flag.holds,
        "value": flag.value,
        "threshold": flag.threshold,
        "n": flag.n,
        "event_ids": [str(event_id) for event_id in flag.event_ids],
    }
