"""What the pages about a quarter share: who and when is chosen, and rates in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.reads import Answer


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which quarter and whose, and what else could be chosen; `query` asks for just this."""

    quarter: str
    quarters: tuple[str, ...]
    whose: str
    options: tuple[tuple[str, str, bool], ...]
    query: dict[str, str]


def chosen_of(answer: Answer) -> Chosen:
    """What an answer about a quarter is about."""
    rep, team = answer["scope"]["rep"], answer["scope"]["team"]
    names = answer["names"]
    whose = "the organisation"
    if team:
        whose = f"team {f.words_of(team)}"
    elif rep:
        whose = names.get(rep, rep)
    return Chosen(
        quarter=answer["quarter"],
        quarters=tuple(answer["quarters"]),
        whose=whose,
        options=whose_options(answer),
        query={"quarter": answer["quarter"], "whose": whose_value(answer)},
    )


def whose_options(answer: Answer) -> tuple[tuple[str, str, bool], ...]:
    """Whose of it may be asked for: value, name, and whether it is what was asked."""
    names, asked = answer["names"], whose_value(answer)
    options = {"": "Everybody"}
    options |= {f"team:{one}": f"Team {f.words_of(one)}" for one in answer["teams"]}
    options |= {f"rep:{one}": names.get(one, one) for one in answer["reps"]}
    # Who left, or is not theirs to see, by the id that was asked for: it is not everybody.
    gone = answer["scope"]["rep"] or f"Team {f.words_of(answer['scope']['team'] or '')}"
    options.setdefault(asked, names.get(gone, gone))
    return tuple((value, name, value == asked) for value, name in options.items())


def chosen_whose(options: Iterable[tuple[str, str, bool]]) -> str:
    """Whose of it was asked for, of the options."""
    return next((name for _, name, chosen in options if chosen), "Everybody")


def whose_value(answer: Answer) -> str:
    """What an address names as whose it is; nothing for everybody."""
    rep, team = answer["scope"]["rep"], answer["scope"]["team"]
    return f"team:{team}" if team else f"rep:{rep}" if rep else ""


def whose_asked(value: str | None) -> tuple[str | None, str | None]:
    """The rep and the team that an address names as `rep:…` or `team:…`."""
    kind, _, name = (value or "").partition(":")
    return (name if kind == "rep" and name else None, name if kind == "team" and name else None)


NOT_OVER: Final = f.unknown("the quarter is not over")
NOT_SHOWN: Final = f.unknown("not shown"), ""


def part_of(pattern: Mapping[str, Any] | None, part: str) -> tuple[str, str]:
    """A part of a close pattern as its share and interval; unknown until the quarter is over."""
    if pattern is None:
        return NOT_OVER, ""
    return rate_of(pattern[part])


def rate_of(told: Mapping[str, Any]) -> tuple[str, str]:
    """A rate and its interval."""
    return rate_text(told), interval_text(told)


def rate_text(told: Mapping[str, Any]) -> str:
    """`6 of 30, 20%`; without the share where too few are counted."""
    counts = f"{told['count']:,} of {told['n']:,}"
    return counts if told["share"] is None else f"{counts}, {f.percent(told['share'])}"


def interval_text(told: Mapping[str, Any]) -> str:
    """`95% interval 10% to 37%`; nothing where too few are counted."""
    if told["interval"] is None:
        return ""
    low, high = told["interval"]
    return f"95% interval {f.percent(round(low, 2))} to {f.percent(round(high, 2))}"
