"""The form of an event: its fields with what they say, and what is wrong with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_urlsafe
from typing import Any, Final

from api.web import format as f
from api.web.form_parts import Field, Filled, Form, Part, Since
from api.web.payload_fields import Fields, Leaf, fields_of, filled, leaves
from api.web.reads import Answer, MovedOnError, SentBeforeError
from api.web.record_body import (
    ACCOUNT_ID,
    ACCOUNT_NAME,
    AMENDED,
    CAUSED_BY,
    OCCURRED_AT,
    REASON,
    UNDONE,
)
from api.web.record_choices import Choice, Offers, choices_of, defaults, is_new_name
from api.web.record_words import CORRECTIONS, EMPTY, FORMS, HELP, LABELS, NOTES, OPENING
from api.web.refusal_words import refusal_words
from api.web.vocabulary import EVIDENCE_LEVELS

_FEW_KNOW: Final = frozenset(
    {ACCOUNT_ID, "events[0].data.account.segment", "events[0].data.process"}
)
"""What a deal can be opened without."""
_WHEN: Final = Leaf("instant", required=False)
_WHY: Final = Leaf("text", required=True, most=10_000)
_CAUSE: Final = Leaf("choice", required=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a form is made of: what the deal is and offers, and what the address and a form say."""

    answer: Answer
    offers: Offers
    query: Mapping[str, str]
    typed: Mapping[str, str]

    @property
    def deal(self) -> Answer:
        deal: Answer = self.answer.get("deal", {})
        return deal

    @property
    def event_id(self) -> str:
        """The event that a correction is of."""
        named = self.typed.get("events[0].data.event_id") or self.typed.get(UNDONE)
        return named or self.query.get("event", "")


def form_of(name: str, ground: Ground) -> Form | None:
    """Give a form by its name; None where there is none, or not yet all that it needs."""
    if name in CORRECTIONS:
        return _correction(name, ground)
    if name not in FORMS:
        return None
    if name == "activity_ticked":
        parts, about = _tick(ground)
        if not parts:
            return None
    else:
        parts, about = (_part(0, name, ground),), ""
    return Form(
        name=name,
        words=FORMS[name],
        action=_action(ground),
        key=new_key(),
        seen=ground.answer["as_of"]["position"],
        parts=parts,
        envelope=_envelope(ground),
        note=NOTES.get(name, ""),
        about=about,
    )


def opening_form(ground: Ground) -> Form:
    """Give the form of a new deal; the stage that it begins in may be told with it.

    Its account is asked for by name, which everybody knows, and what few people know comes last.
    """
    stage, opened = _part(1, "stage_entered", ground), _part(0, "deal_opened", ground)
    asked = sorted(opened.fields, key=lambda one: one.name != ACCOUNT_NAME)
    known = tuple(one for one in asked if one.name not in _FEW_KNOW)
    rest = tuple(replace(one, required=False) for one in asked if one.name in _FEW_KNOW)
    first = replace(stage, fields=tuple(replace(one, required=False) for one in stage.fields))
    return Form(
        name="deal_opened",
        words=OPENING,
        action="/deals/new",
        key=new_key(),
        seen=ground.answer["as_of"]["position"],
        parts=(replace(opened, fields=known), first, Part(rest)),
        envelope=(_envelope_field(OCCURRED_AT, _WHEN, ground),),
    )


def refused(form: Form, sent: Filled, since: Iterable[Since]) -> Form:
    """Give a form that was sent again, with what is wrong, and with what was recorded since.

    It goes on under its key, so that it is recorded once however often it is sent; unless the key
    stands for something else already. Only who was shown what is new sends on top of that.
    """
    called = {one.value: one.name for field in form.fields for one in field.choices or ()}
    found = [
        (_field_at(form, path), refusal_words(detail, called)) for path, detail in sent.error.errors
    ]
    wrong: dict[str, str] = {}
    for one, text in found:
        if one is not None:
            wrong[one.name] = f"{wrong[one.name]}\n{text}" if one.name in wrong else text
    other = [text for one, text in found if one is None]
    parts = tuple(replace(one, fields=_marked(one.fields, wrong)) for one in form.parts)
    seen, moved = int(sent.values["seen"]), isinstance(sent.error, MovedOnError)
    again = isinstance(sent.error, SentBeforeError)
    marked = replace(form, parts=parts, envelope=_marked(form.envelope, wrong))
    return replace(
        marked,
        key=form.key if again else sent.values["key"],
        seen=form.seen if moved else seen,
        moved=moved,
        again=again,
        problem=""
        if moved or again
        else " ".join(other) or ("" if wrong else refusal_words(str(sent.error), called)),
        problems=tuple(one for one in marked.fields if one.error),
        since=tuple(since) if moved else (),
    )


def _tick(ground: Ground) -> tuple[tuple[Part, ...], str]:
    """The tick of an activity, with the evidence of each outcome that it is for beside it."""
    name = ground.typed.get("events[0].data.activity") or ground.query.get("activity", "")
    activity = next((one for one in ground.offers["activities"] if one["id"] == name), None)
    if activity is None:
        return (), ""
    ticked = _part(0, "activity_ticked", ground, fixed={"activity": name})
    shown = [
        _part(place, "outcome_evidenced", ground, fixed={"outcome": outcome["id"]}, further=outcome)
        for place, outcome in enumerate(activity["outcomes"], start=1)
    ]
    return (ticked, *shown), f"{activity['name']}: {activity['purpose']}"


def _correction(name: str, ground: Ground) -> Form | None:
    entry = _entry(ground.answer, ground.event_id)
    if entry is None or name not in corrections_of(entry):
        return None
    event_id, kind = entry["event_id"], entry["type"]
    hidden: dict[str, str] = {}
    if name == "undo":
        hidden = {UNDONE: event_id}
        parts = (Part((_envelope_field(REASON, _WHY, ground),)),)
    elif name == "event_amended":
        hidden = {AMENDED: kind}
        parts = (_amendment(entry, ground),)
    else:
        parts = (_part(0, name, ground, fixed={"event_id": event_id}),)
    return Form(
        name=name,
        words=CORRECTIONS[name],
        action=_action(ground),
        key=new_key(),
        seen=ground.answer["as_of"]["position"],
        parts=parts,
        hidden=hidden,
        note=NOTES.get(name, ""),
        about=f"{_title(entry, ground.answer)}, {f.moment(entry['occurred_at'])}",
    )


def corrections_of(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the corrections that an event of the ledger can have."""
    if event.get("retracted"):
        return ()
    if event["type"] == "deal_opened":
        return ("event_amended",)
    back = ("event_retracted", "undo")
    return back if event["type"] in CORRECTIONS else ("event_amended", *back)


def _amendment(entry: Mapping[str, Any], ground: Ground) -> Part:
    """The fields of the event as it stands, to be put right, and why."""
    kind, amended = entry["type"], entry.get("amended") or {}
    base = "events[0].data.data"
    inner = fields_of(kind) or {}
    stands = filled(inner, amended.get("data") or entry["data"], base)
    told = ground.typed or _with_currencies(inner, base, stands, ground)
    fields = [
        _field(kind, name, leaf, ground, path=name.removeprefix(f"{base}."), value=told.get(name))
        for name, leaf in leaves(inner, base)
    ]
    why = _part(0, "event_amended", ground, fixed={"event_id": entry["event_id"]})
    return replace(why, fields=(*fields, *why.fields))


def _with_currencies(
    fields: Fields, base: str, stands: Mapping[str, str], ground: Ground
) -> dict[str, str]:
    """What an event says, with a currency where an amount could be added to it."""
    names = (name for name, _ in leaves(fields, base) if name.endswith(".currency"))
    return dict.fromkeys(names, str(ground.offers["currency"])) | dict(stands)


def _part(
    place: int,
    kind: str,
    ground: Ground,
    *,
    fixed: Mapping[str, str] | None = None,
    further: Mapping[str, Any] | None = None,
) -> Part:
    """One event of a form; `further` is the outcome that a tick was for."""
    base = f"events[{place}].data"
    before = defaults(kind, ground.deal, ground.offers) | (dict(ground.query) if place == 0 else {})
    fields = []
    for name, leaf in leaves(fields_of(kind) or {}, base):
        path = name.removeprefix(f"{base}.")
        value = ground.typed.get(name) if ground.typed else before.get(path)
        if fixed and path in fixed:
            value = fixed[path]
        one = _field(kind, name, leaf, ground, path=path, value=value)
        hidden = is_new_name(kind, path) or bool(fixed and path in fixed)
        needed = one.required and further is None
        fields.append(replace(one, fixed=hidden, required=needed))
    return Part(
        tuple(fields),
        kind,
        legend=further["name"] if further else "",
        note=f"Asked for: {EVIDENCE_LEVELS[further['required_level']]}." if further else "",
    )


def _field(
    kind: str, name: str, leaf: Leaf, ground: Ground, *, path: str, value: str | None
) -> Field:
    choices = choices_of(kind, path, leaf, ground.offers)
    if choices is not None and value and leaf.asked != "lines":
        known = any(one.value == value for one in choices)
        choices = choices if known else (*choices, Choice(value, value))
    last = path.rpartition(".")[2]
    asked = leaf.asked if choices is None else "several" if leaf.asked == "lines" else "choice"
    return Field(
        name=name,
        label=_said(LABELS, kind, path) or f.words_of(last),
        asked=asked,
        required=leaf.required,
        value=value or "",
        choices=choices,
        help=_said(HELP, kind, path),
        most=leaf.most,
        empty=_said(EMPTY, kind, path) or "Not said",
    )


def _said(words: Mapping[str, str], kind: str, path: str) -> str:
    last = path.rpartition(".")[2]
    return words.get(f"{kind}.{path}") or words.get(path) or words.get(last) or ""


def _envelope(ground: Ground) -> tuple[Field, ...]:
    when = _envelope_field(OCCURRED_AT, _WHEN, ground)
    cause = _envelope_field(CAUSED_BY, _CAUSE, ground)
    return (when, cause) if cause.choices else (when,)


def _envelope_field(name: str, leaf: Leaf, ground: Ground) -> Field:
    value = ground.typed.get(name) or ground.query.get(name)
    one = _field("", name, leaf, ground, path=name, value=value)
    return replace(one, asked="moment") if leaf is _WHEN else one


def _action(ground: Ground) -> str:
    return f"/deals/{ground.deal['deal_id']}/record"


def new_key() -> str:
    """Give the idempotency key of a form that is shown."""
    return token_urlsafe(18)


def _entry(answer: Answer, event_id: str) -> Mapping[str, Any] | None:
    events: Iterable[Mapping[str, Any]] = answer["history"]["events"]
    return next((one for one in events if one["event_id"] == event_id), None)


def _title(event: Mapping[str, Any], answer: Answer) -> str:
    return f.event_words(event["title"], answer["names"])


def _field_at(form: Form, path: str) -> Field | None:
    """Give the field that a path of the API's problem names, or the nearest one that is shown."""
    shown = [one for one in form.fields if not one.fixed]
    exact = [one for one in shown if one.name == path]
    inside = [one for one in shown if one.name.startswith(f"{path}.")]
    around = [one for one in shown if path.startswith((f"{one.name}.", f"{one.name}["))]
    return next(iter((*exact, *inside, *around)), None)


def _marked(fields: Sequence[Field], wrong: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(replace(one, error=wrong.get(one.name, "")) for one in fields)


def recorded_since(answer: Answer, sent: Filled) -> Iterable[Since]:
    """Give the events of a deal that the page of a form did not show."""
    return (
        Since(
            f"#e-{one['event_id']}",
            _title(one, answer),
            f"{one['rep']}, {f.moment(one['recorded_at'])}",
        )
        for one in answer["history"]["events"]
        if one["position"] > int(sent.values["seen"])
    )
