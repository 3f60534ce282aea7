"""What the audit explorer shows: the question with its mistake, its events, and their counts."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.answers import json_bytes
from api.query.tree import Given, Query, Word, all_of, negated, render, term
from api.web import format as f
from api.web.asof import AsOf, as_of_view, query_of
from api.web.audit_asked import Cursor, LogAsked, Mistake
from api.web.reads import Answer
from api.web.vocabulary import (
    DRIVERS,
    HOLLOW_TYPES,
    STATUSES,
    VERDICTS,
    VERDICTS_SHORT,
    Sign,
    glyph_of,
)

PATH: Final = "/audit"
SORTS: Final = {
    "-position": "Newest first",
    "position": "Oldest first",
    "-occurred": "Occurred last",
    "occurred": "Occurred first",
}
EXPORT_NAMES: Final = {
    "ndjson": "NDJSON",
    "csv": "CSV",
    "cloudevents": "CloudEvents",
    "parquet": "Parquet",
    "xes": "XES",
    "ocel2": "OCEL 2.0",
}
NARROWING: Final = ("type", "rep", "actor", "team", "owner", "channel", "source", "quarter")
"""What can be counted by and asked for with the same meaning, so that a group is a query."""
CORRECTIONS: Final = ("event_amended", "event_retracted")
SHOWN_GROUPS: Final = 10
_AROUND: Final = 22
"""Characters of a query that are shown on each side of a mistake."""
_NAME: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake in the query: the text around it, and the query as it was probably meant."""

    before: str
    at: str
    after: str
    column: int
    told: str
    meant: str | None
    instead: str | None


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know of an event before it is relied on; `link` leads to what says so."""

    word: str
    said: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event: both clocks, its deal, what happened, who moved it, and what was found of it."""

    position: int
    event_id: str
    recorded: str
    occurred: str
    recorded_at: str
    occurred_at: str
    source_clock: bool
    deal: str | None
    account: str | None
    link: str | None
    stream: str
    type: str
    sign: Sign
    title: str
    detail: str | None
    who: str
    driver: str
    notes: tuple[Note, ...]
    gone: bool
    verdict: str | None
    verdict_words: str | None
    pressure: str | None
    percent: float
    untold: bool
    json: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group of events with its count; `link` asks for just these."""

    names: tuple[str, ...]
    link: str | None
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: a page of events, the way to others, and how many there are in all.

    `clocks` says whose clock `recorded` is where it is the same for all of the page.
    """

    rows: tuple[EventRow, ...]
    clocks: str | None
    total: str
    query: str
    newer: str | None
    older: str | None
    by: tuple[str, ...]
    groups: tuple[Group, ...]
    other_groups: tuple[Group, ...]
    more_groups: bool
    export: Mapping[str, str] | None
    address: str
    counts: str | None
    command: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The explorer, ready for its template; `found` is None where the query has a mistake."""

    as_of: AsOf
    asked: LogAsked
    kept: dict[str, str]
    by: tuple[str, ...]
    newest_first: bool
    tells_pressure: bool
    reps: tuple[tuple[str, str], ...]
    wrong: Wrong | None
    wrong_field: Mistake | None
    link: str
    found: Found | None


def audit_page(answer: Answer, asked: LogAsked) -> AuditPage:
    """Shape an answer; what leads on asks for the same position."""
    mistake: Mistake | None = answer["mistake"]
    names: Mapping[str, str] = answer["names"]
    here = asked.kept | {"as_of": answer["pinned"], "effective_at": asked.effective_at or ""}
    return AuditPage(
        as_of=as_of_view(answer, asked=(asked.as_of, asked.effective_at)),
        asked=asked,
        kept=asked.kept,
        by=tuple(asked.by.split(",")) if asked.by else (),
        newest_first=asked.sort.startswith("-"),
        tells_pressure=answer["tells_pressure"],
        reps=f.told_apart(answer["reps"], names),
        wrong=_wrong(mistake, asked) if mistake and mistake.field == "q" else None,
        wrong_field=mistake if mistake and mistake.field != "q" else None,
        link=PATH + query_of(here),
        found=None if mistake else _found(answer, asked, here),
    )


def _wrong(mistake: Mistake, asked: LogAsked) -> Wrong:
    place = max(0, mistake.column - 1)
    query = asked.q
    first = max(0, place - _AROUND)
    last = place + 1 + _AROUND
    return Wrong(
        before=("…" if first else "") + query[first:place],
        at=query[place : place + 1] or " ",
        after=query[place + 1 : last] + ("…" if last < len(query) else ""),
        column=mistake.column,
        told=mistake.expected,
        meant=mistake.meant,
        instead=_instead(mistake, asked),
    )


def _instead(mistake: Mistake, asked: LogAsked) -> str | None:
    """Give the address of the query with the name that was probably meant."""
    word = _NAME.match(asked.q, mistake.column - 1) if mistake.column else None
    if mistake.meant is None or word is None:
        return None
    query = asked.q[: word.start()] + mistake.meant + asked.q[word.end() :]
    moment = {"as_of": asked.as_of or "", "effective_at": asked.effective_at or ""}
    return PATH + query_of(asked.kept | {"q": query} | moment)


def _found(answer: Answer, asked: LogAsked, here: Mapping[str, str]) -> Found:
    query: Query = answer["query"]
    text = render(query)
    moment = {name: here[name] for name in ("as_of", "effective_at") if here[name]}
    groups = tuple(_groups(answer, query, moment))
    clocks = {told["event"]["clock"] for told in answer["events"]}
    given = {"q": text, "sort": asked.sort}
    return Found(
        rows=tuple(_row(told, answer["names"], moment) for told in answer["events"]),
        clocks=clocks.pop() if len(clocks) == 1 else None,
        total=f.unknown(answer["why"])
        if answer["total"] is None
        else f.count(answer["total"], "event"),
        query=text,
        newer=_beside(answer["back"], here),
        older=_beside(answer["onward"], here),
        by=tuple(answer["by"]),
        groups=groups[:SHOWN_GROUPS],
        other_groups=groups[SHOWN_GROUPS:],
        more_groups=answer["more"],
        export={name: value for name, value in {"q": text, **moment}.items() if value}
        if answer["may_export"]
        else None,
        address="/v1/events" + query_of(given | moment),
        counts="/v1/events/counts" + query_of({"q": text, "by": asked.by, **moment})
        if asked.by
        else None,
        command=_command(text, asked, moment),
    )


def _beside(cursor: Cursor | None, here: Mapping[str, str]) -> str | None:
    """Give the address of the page at a cursor."""
    return PATH + query_of({**here, cursor.side: cursor.position}) + "#events" if cursor else None


def _command(query: str, asked: LogAsked, moment: Mapping[str, str]) -> str:
    """Give the same question as a command; who may run it sees the whole log."""
    options = {"--sort": asked.sort, "--by": asked.by, "--as-of": moment["as_of"]}
    options["--effective-at"] = moment.get("effective_at", "")
    words = [f"{name}={value}" for name, value in options.items() if value]
    return shlex.join(["dealtrail", "events", *words, *(["--", query] if query else [])])


def _groups(answer: Answer, query: Query, moment: Mapping[str, str]) -> Iterator[Group]:
    by: Sequence[str] = answer["by"]
    largest = max((group["count"] for group in answer["groups"]), default=1)
    for group in answer["groups"]:
        keys = [group[dimension] for dimension in by]
        yield Group(
            names=tuple(_group_name(d, k, answer) for d, k in zip(by, keys, strict=True)),
            link=_narrowed(query, by, keys, moment),
            count=group["count"],
            percent=100 * group["count"] / largest,
        )


def _group_name(dimension: str, key: str | None, answer: Answer) -> str:
    if key is None:
        return "none"
    if dimension == "type":
        return f.words_of(key)
    people = dimension in ("rep", "actor", "owner")
    return str(answer["names"].get(key, key)) if people else key


def _narrowed(
    query: Query, by: Sequence[str], keys: Sequence[str | None], moment: Mapping[str, str]
) -> str | None:
    """Give the address that asks for a group alone, where there is a query for just that."""
    if not all(dimension in NARROWING for dimension in by):
        return None
    terms = [
        negated(Given(Word(dimension))) if key is None else term(dimension, key)
        for dimension, key in zip(by, keys, strict=True)
    ]
    return PATH + query_of({"q": render(all_of([query, *terms])), **moment})


def _row(told: Mapping[str, Any], names: Mapping[str, str], moment: Mapping[str, str]) -> EventRow:
    event, deal = told["event"], told["deal"] or {}
    verdict, pressure = told["verdict"], told["pressure"]
    return EventRow(
        position=event["position"],
        event_id=event["event_id"],
        recorded=_clock(event["recorded_at"]),
        occurred=_clock(event["occurred_at"]),
        recorded_at=f.instant(event["recorded_at"]).isoformat(),
        occurred_at=f.instant(event["occurred_at"]).isoformat(),
        source_clock=event["clock"] == "source",
        deal=f.short_name(deal["name"], deal["account"] or "") if deal.get("name") else None,
        account=deal.get("account"),
        link=_in_ledger(deal, event["event_id"], moment) if deal else None,
        stream=event["stream_id"],
        type=f.words_of(event["type"]),
        sign=_sign(event["type"], told["status"]),
        title=f.event_words(told["title"] or "", names) or _flat(event["data"]),
        detail=f.event_words(told["detail"] or "", names),
        who=_who(event, names),
        driver=DRIVERS.get(told["driver"], ""),
        notes=tuple(_notes(told, names, moment)),
        gone=told["retracted"] is not None,
        verdict=VERDICTS_SHORT.get(verdict) if verdict else None,
        verdict_words=VERDICTS.get(verdict) if verdict else None,
        pressure=None if pressure is None else f.ratio(pressure),
        percent=round(100 * (pressure or 0), 1),
        untold=told["untold"],
        json=json.dumps(json.loads(json_bytes(event)), indent=2, ensure_ascii=False),
    )


def _in_ledger(deal: Mapping[str, Any], event_id: str, moment: Mapping[str, str]) -> str:
    """Give where an event stands in the ledger of its deal."""
    return f"/deals/{deal['deal_id']}{query_of({**moment, 'all': 1})}#e-{event_id}"


def _clock(value: Any) -> str:
    """`2026-09-30 22:31:07`: rows of a log are compared, and so stand under each other."""
    return f"{f.instant(value):%Y-%m-%d %H:%M:%S}"


def _sign(event_type: str, status: str | None) -> Sign:
    if event_type == "activity_ticked":
        return STATUSES[status] if status else Sign("circle", "dashed", "Ticked, and taken back")
    fill = "hollow" if event_type in HOLLOW_TYPES else "filled"
    return Sign(glyph_of(event_type), fill, "")


def _who(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    actor, rep = event["actor"], event["on_behalf_of"]
    if rep in (None, actor):
        return names.get(actor, actor)
    return f"{names.get(rep, rep)}, by {names.get(actor, actor)}"


def _notes(
    told: Mapping[str, Any], names: Mapping[str, str], moment: Mapping[str, str]
) -> Iterator[Note]:
    for word in ("retracted", "amended"):
        if said := told[word]:
            rep = names.get(said["rep"], said["rep"])
            text = f"{word} by {rep}, {f.moment(said['recorded_at'])}: {said['reason']}"
            yield Note(word, text, _in_ledger(told["deal"], said["event_id"], moment))
    if told["event"]["type"] in CORRECTIONS:
        link = _in_ledger(told["deal"], told["event"]["data"]["event_id"], moment)
        yield Note("corrects", "The event that it corrects", link)
    if told["late"]:
        yield Note("late", "Told later after it occurred than the policy allows")


def _flat(data: Mapping[str, Any]) -> str:
    """Give the plain values of a payload, for events that no words were made for."""
    parts = []
    for name, value in data.items():
        if isinstance(value, Mapping) and value.keys() == {"amount", "currency"}:
            parts.append(f"{f.words_of(name).lower()} {f.money(value)}")
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            parts.append(f"{f.words_of(name).lower()} {value}")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
