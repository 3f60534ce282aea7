"""What a deal page says before its chart: the two findings, the reasons, the activities, money."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.definitions import DEFINITIONS
from api.web.learned import Facts
from api.web.reads import Answer
from api.web.rule_words import RULES, rules_words, threshold_words
from api.web.vocabulary import (
    CAUSES,
    CHECKBOX_ONLY,
    EVIDENCE_LEVELS,
    EVIDENCED,
    FACTS,
    HOLDS,
    MODIFIERS,
    SCOPES,
    STATUSES,
    VERDICTS,
    Sign,
)
from projections.names import Names

_STAGE: Final = re.compile(r"(?<=\AStage ).+?(?= was entered)")
"""Where a sentence about an event names a stage (`projections/pressure/sentence.py`)."""

_WORD: Final = re.compile("[a-z]+(_[a-z]+)+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A count out of a whole in words; `figure` is None where nothing could be counted."""

    figure: int | None
    headline: str
    detail: str

    @property
    def text(self) -> str:
        return self.headline if self.figure is None else f"{self.figure} {self.headline}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One condition of a verdict: what was found, what was asked, whether it holds."""

    name: str
    value: str
    threshold: str
    holds: bool | None
    evidence: tuple[str, ...]

    @property
    def answer(self) -> str:
        return HOLDS[self.holds]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an event got its verdict; `number` is None for those that carry no pin."""

    number: int | None
    event_id: str
    title: str
    at: Any
    verdict: str
    rules: tuple[str, ...]
    modifiers: tuple[str, ...]
    sentence: str
    facts: tuple[Fact, ...]

    @property
    def conditions(self) -> str:
        """How many of its conditions hold."""
        holding = sum(fact.holds is True for fact in self.facts)
        verb = "holds" if holding == 1 else "hold"
        return f"{holding} of {f.count(len(self.facts), 'condition')} {verb}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An intended outcome with the evidence there is."""

    name: str
    text: str
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity with its status, shown as a shape and in words, and what its tick taught."""

    name: str
    sign: Sign
    ticked_at: Any
    outcomes: tuple[Outcome, ...]
    learned: Facts


@dataclass(frozen=True, slots=True)
class StageActivities:
    """The activities of one stage, in the order of the process."""

    name: str
    activities: tuple[Activity, ...]


def checkbox_finding(counts: Mapping[str, int], share: float | None) -> Finding:
    """How many settled activities are checkbox-only; unknown while none has settled."""
    hollow = sum(counts.get(status, 0) for status in CHECKBOX_ONLY)
    settled = hollow + sum(counts.get(status, 0) for status in EVIDENCED)
    if settled == 0:
        if counts.get("not_expressible"):
            why = "the imported source cannot express what an activity was for"
        else:
            why = "no ticked activity has settled yet"
        return Finding(None, "Checkbox-only progress is unknown", f"Unknown: {why}.")
    verb = "is" if 1 in (hollow, settled) else "are"
    return Finding(
        hollow,
        f"of {f.count(settled, 'settled activity', 'settled activities')} {verb} checkbox-only",
        "Ticked, but the intended outcome was not evidenced in time."
        f" Weighted share: {f.percent(share, 'no weights were given')}.",
    )


def pressure_finding(shares: Mapping[str, int], policy_version: Any) -> Finding:
    """How many evaluable events are pressure-shaped; unknown where none could be evaluated."""
    shaped, evaluable = shares["shaped"], shares["evaluable"]
    if evaluable == 0:
        why = "no event could be evaluated; quota or comparable deals are missing"
        return Finding(None, "Quota pressure is unknown", f"Unknown: {why}.")
    verb = "is" if 1 in (shaped, evaluable) else "are"
    policy = f"policy {policy_version}" if policy_version else "the built-in policy"
    return Finding(
        shaped,
        f"of {f.count(evaluable, 'judged event')} {verb} pressure-shaped",
        f"Consistent with quota pressure by {policy}. This says what fits the facts, not what"
        " caused it.",
    )


def reasons_of(
    answer: Answer, titles: Mapping[str, str], numbers: Mapping[str, int]
) -> tuple[Reason, ...]:
    """Every judged event in order of time, with its pin's number if it has one."""
    judged, people, called = answer["pressure"]["events"], answer["names"], answer["called"]
    ordered = sorted(judged, key=lambda event: (f.instant(event["action_time"]), event["event_id"]))
    return tuple(
        Reason(
            number=numbers.get(event["event_id"]),
            event_id=event["event_id"],
            title=titles.get(event["event_id"]) or f.words_of(event["type"]),
            at=event["action_time"],
            verdict=VERDICTS.get(event["verdict"], f.words_of(event["verdict"])),
            rules=tuple(f"{RULES[rule]} ({rule})" for rule in event.get("rules", ())),
            modifiers=tuple(MODIFIERS.get(m, m) for m in event.get("modifiers", ())),
            sentence=sentence_of(event, people=people, called=called),
            facts=tuple(_fact(fact, called) for fact in event.get("facts", ())),
        )
        for event in ordered
    )


def sentence_of(judged: Mapping[str, Any], *, people: Mapping[str, str], called: Names) -> str:
    """What the product concluded of an event, with people and stages by their names."""
    told = f.sentence(judged.get("sentence") or "", people)
    return _STAGE.sub(lambda found: called.stages.get(found[0], found[0]), told)


def _fact(fact: Mapping[str, Any], called: Names) -> Fact:
    name, value, threshold = fact["fact"], fact["value"], fact["threshold"]
    match name:
        case "window":
            found = (
                f.unknown("no fiscal quarter")
                if value is None
                else f.count(value, "day left", "days left")
            )
            asked = f"fewer than {threshold} days left"
        case "behind":
            found, asked = f"pressure {f.ratio(value, 'no quota')}", f"{f.ratio(threshold)} or more"
        case "no_customer_action":
            found = CAUSES.get(value, plain(value)) + _base_rate(fact.get("base_rate"))
            found += _coverage(fact.get("coverage"))
            asked = f"none in the {plain(threshold)} days before"
        case _:
            found, asked = rules_words(value, called), threshold_words(threshold)
    evidence = tuple(str(event_id) for event_id in fact["evidence"])
    return Fact(FACTS.get(name, f.words_of(name)), found, asked, fact["holds"], evidence)


def _base_rate(rate: Mapping[str, Any] | None) -> str:
    """How common it is elsewhere that no customer action is recorded; silence where unknown."""
    if not rate or not rate.get("of"):
        return ""
    whose = SCOPES[rate["scope"]]
    found = f"so in {rate['without_customer_action']} of {rate['of']} comparable ones of {whose}"
    if rate["interval"] is None:
        return f" ({found})"
    low, high = (f.percent(round(end, 2)) for end in rate["interval"])
    return f" ({found}; 95% interval {low} to {high})"


def _coverage(coverage: Mapping[str, Any] | None) -> str:
    """That too few customer actions are recorded to flag the event; silence where enough are."""
    if not coverage or not coverage["caps"]:
        return ""
    recorded = f.percent(coverage["share"], "nothing was counted")
    return f"; recorded at {recorded} of comparable ones, {f.percent(coverage['gate'])} asked for"


def plain(value: Any) -> str:
    """Any value of a fact in words, nested ones flattened."""
    match value:
        case None:
            return f.UNKNOWN
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}".rstrip("0").rstrip(".")
        case Mapping() if "amount" in value and "currency" in value:
            return f.money(value)
        case Mapping():
            return ", ".join(f"{f.words_of(k).lower()} {plain(v)}" for k, v in value.items())
        case list() | tuple():
            return "; ".join(plain(item) for item in value) or "nothing found"
        case str():
            return value.replace("_", " ") if _WORD.fullmatch(value) else f.written(value)
        case _:
            return str(value)


def activities_of(
    activities: Sequence[Mapping[str, Any]], called: Names
) -> tuple[StageActivities, ...]:
    """The activities under their stages, in the order in which the answer names the stages."""
    stages: dict[str, list[Activity]] = {}
    for activity in activities:
        stages.setdefault(activity["stage"], []).append(
            Activity(
                name=_called(activity["activity"], called.activities),
                sign=STATUSES[activity["status"]],
                ticked_at=activity["ticked_at"],
                outcomes=tuple(_outcome(one, called) for one in activity["outcomes"]),
                learned=Facts.of(activity["learned"]),
            )
        )
    return tuple(
        StageActivities(_called(stage, called.stages), tuple(found))
        for stage, found in stages.items()
    )


def _called(name: str, names: Mapping[str, str]) -> str:
    return names.get(name) or f.words_of(name)


def _outcome(outcome: Mapping[str, Any], called: Names) -> Outcome:
    level, required = outcome["level"], outcome["required_level"]
    asked = f"{EVIDENCE_LEVELS[required]} is asked for"
    if level is None:
        text = f"no evidence; {asked}"
    else:
        text = f"{EVIDENCE_LEVELS[level]}, {f.day(outcome['evidenced_at'])}"
        text += f"; {asked}" if level < required else ""
    return Outcome(_called(outcome["outcome"], called.outcomes), text, outcome["event_id"])


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One sum with what it means; the text says "unknown" and why where there is none.

    `key` names its definition.
    """

    key: str
    name: str
    text: str
    meaning: str
    known: bool


def money_of(pressure: Answer) -> tuple[MoneyLine, ...]:
    """What the flagged discounts add up to, and the deal as it stood before the first flag."""
    money, before = pressure["money"], pressure["counterfactual"]
    no_flag = "no discount of this deal is pressure-shaped, or its list price is not recorded"
    rows = (
        ("offered", money["offered"], f.money, "pressure-shaped cuts put to the customer"),
        ("realised", money["realised"], f.money, "the part in the price that was signed"),
        ("floor", money["floor"], f.money, "the part beyond what comparable deals get"),
        ("net_without", before["net"], f.money, "list less the discount offered before"),
        ("close_without", before["close_date"], f.day, "before the first pull-in"),
    )
    return tuple(
        MoneyLine(
            key=key,
            name=DEFINITIONS[key].name,
            text=shown(value, _why_not(key, no_flag)),
            meaning=meaning,
            known=value is not None,
        )
        for key, value, shown, meaning in rows
    )


def _why_not(key: str, no_flag: str) -> str:
    return "no pull-in of this deal is pressure-shaped" if key == "close_without" else no_flag
