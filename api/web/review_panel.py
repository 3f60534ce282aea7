"""What the deal page shows of a review: the questions, blank ones first, and the health flags."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.reads import Answer
from projections.names import Names

FLAGS: Final = {
    "close_date_past": "The close date is past",
    "commit_without_commitment": "Forecast as commit without a written commitment of the customer",
    "pushes": "The close date was put off three times or more",
    "broken_commitment": "The customer broke a commitment of budget or more",
    "age_in_stage": "Longer in its stage than nine in ten stays",
    "one_contact": "Only one person at the customer is known",
    "no_dated_next_commitment": "No next step of the customer with a day",
    "checkbox_only": "More than half of the settled ticks were never shown",
}
WORDS: Final = {
    "customer": "said by the customer",
    "seller": "said by the seller",
    "rule": "recorded by a rule",
    "import": "from the import",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A question with its latest answer; `event_ids` is empty where there is none.

    `partly` says that nothing was recorded about a part of it.
    """

    question: str
    blank: bool
    partly: bool
    text: str
    note: str
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagLine:
    """A health flag that holds, in words, with its colour as a word."""

    text: str
    colour: str
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """The review of a deal, ready for its template; `untold` flags cannot be told."""

    lines: tuple[Line, ...]
    flags: tuple[FlagLine, ...]
    untold: int
    open: bool
    unmet: tuple[str, ...]


def review_panel(review: Answer, people: Mapping[str, str], called: Names) -> ReviewPanel:
    """The panel for the answer about a deal's review, with people and steps by their names."""
    flags = review["health"]["flags"]
    held = [flag for flag in flags if flag["holds"]]
    return ReviewPanel(
        lines=tuple(_line(question, people) for question in review["questions"]),
        flags=tuple(
            FlagLine(FLAGS[f["flag"]], f["colour"], tuple(f["event_ids"][-3:])) for f in held
        ),
        untold=sum(flag["holds"] is None for flag in flags),
        open=bool(flags),
        unmet=tuple(_unmet(gate, called) for gate in review["gates"] if gate["still_unmet"]),
    )


def _unmet(gate: Answer, called: Names) -> str:
    unmet = (called.outcomes.get(one, one) for one in gate["still_unmet"])
    return f"{called.stages.get(gate['stage'], gate['stage'])}: {', '.join(unmet)}"


def _line(question: dict[str, Any], people: Mapping[str, str]) -> Line:
    missing = [f"nothing about {part}" for part in question["missing"]]
    if question["state"] == "blank" or not question["answers"]:
        blank = question["state"] == "blank"
        text = "Blank" if blank else "None"
        return Line(
            question["question"], blank=blank, partly=False, text=text, note="", event_ids=()
        )
    latest = question["answers"][0]
    age = ago(latest["age_days"])
    note = ", ".join([age, WORDS[latest["word"]], *missing])
    return Line(
        question["question"],
        blank=False,
        partly=question["state"] == "partly",
        text=f.event_words(latest["title"], people),
        note=note,
        event_ids=(latest["event_id"],),
    )


def ago(days: int) -> str:
    """`today`, `1 day ago`, `12 days ago`."""
    return "today" if days == 0 else f"{f.count(days, 'day')} ago"
