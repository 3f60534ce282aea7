"""What the page of a sales process shows: its stages, what to leave out, what steps go with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.intervals import Axis, Whisker, points, rate
from api.web.process_stages import Otherwise, Stage, stages_of, whole_of
from api.web.reads import Answer
from api.web.workings import Workings, of_process

RULES: Final = {
    "too_many_stages": "Too many stages",
    "too_many_outcomes": "Too many outcomes",
    "stage_without_outcomes": "A stage without outcomes",
    "outcome_never_evidenced": "An outcome that nobody shows",
    "ritual": "A ritual: ticked, and hardly ever shown",
    "dead": "A step that is not done any more",
    "no_value_shown": "No difference shows",
}
VERDICTS: Final = {
    "more": "won more often",
    "fewer": "won less often",
    "no_difference_shown": "no difference shows",
    None: "too few to conclude from",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the process breaks a rule, and what says so."""

    where: str
    detail: str
    rests_on: str


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """What the process would do better without, by one rule."""

    rule: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """How often deals were won with a step shown, ticked only and left out, with both values."""

    name: str
    stage: str
    evidenced: str
    ticked: str
    left_out: str
    outcome: Whisker | None
    tick: Whisker | None
    verdict: str
    sentence: str
    feedback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of this version and of the other, and how far apart they are."""

    name: str
    this: str
    other: str
    change: str
    interval: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version that can be looked at."""

    number: int
    chosen: bool
    compared: bool


@dataclass(frozen=True, slots=True)
class ProcessPage:
    """A process, ready for its template; findings and worth are None where they are not told."""

    as_of: AsOf
    id: str
    name: str
    version: int
    since: str
    built_in: bool
    against: int | None
    processes: tuple[tuple[str, str], ...]
    versions: tuple[Version, ...]
    stages: tuple[Stage, ...]
    otherwise: tuple[Otherwise, ...]
    findings: tuple[RuleFindings, ...] | None
    worths: tuple[Worth, ...] | None
    axis: Axis
    note: str
    deals: str
    compared: tuple[Compared, ...]
    query: dict[str, str]
    workings: Workings
    publishes: bool
    published: str


def process_page(
    answer: Answer, *, asked: tuple[str | None, str | None], published: str | None = None
) -> ProcessPage:
    """The page for a process, one of its versions and what it is compared with.

    `published` is the version that the reader has just published.
    """
    process, number, against = answer["process"], answer["version"], answer["against"]
    versions = {one["version"]: one for one in process["versions"]}
    this, other = versions[number], versions.get(against)
    worth = answer["worth"]
    values = worth["activities"] if worth else []
    axis = Axis.of(value for one in values for value in (one["outcome_value"], one["tick_value"]))
    return ProcessPage(
        as_of=as_of_view(answer, asked=asked),
        id=process["id"],
        name=this["name"],
        version=number,
        since=_since(this["published_at"]),
        built_in=not this["published_at"],
        against=against,
        processes=tuple((one["id"], one["name"]) for one in answer["processes"]),
        versions=tuple(Version(v, v == number, v == against) for v in sorted(versions)),
        stages=stages_of(this, other, _days(worth)),
        otherwise=whole_of(this, other) if other else (),
        findings=None if answer["lint"] is None else findings_of(answer["lint"]["warnings"], this),
        worths=None if worth is None else tuple(_worth(one, axis, this) for one in values),
        axis=axis,
        note=worth["note"] if worth else "",
        deals=_deals(worth["deals"]) if worth else "",
        compared=_compared(worth["comparison"]) if worth and worth["comparison"] else (),
        query={"process": process["id"], "version": str(number), "against": str(against or "")},
        workings=of_process(answer["lint"], worth),
        publishes=answer["publishes"],
        published=_told(published, number, versions),
    )


def _since(published_at: str | None) -> str:
    return f"published {f.day(f.day_of(published_at))}" if published_at else "built in"


def _told(published: str | None, shown: int, versions: Mapping[int, object]) -> str:
    """Say that a version is published, and where the page does not show it yet."""
    if not published or not published.isdecimal():
        return ""
    if int(published) not in versions:
        return f"Version {published} was published; this page does not show it yet. Load it again."
    return f"Version {published} is published." if int(published) == shown else ""


def _days(worth: Mapping[str, Any] | None) -> dict[str, str]:
    """Say how long deals stay in each stage, as far as that is told and known."""
    return {
        told["stage"]: f"{f.count(round(told['median_days']), 'day')} at the median of"
        f" {f.count(told['n'], 'stay')}"
        for told in (worth["stages"] if worth else ())
        if told["median_days"] is not None
    }


def findings_of(
    warnings: Sequence[Mapping[str, Any]], version: Mapping[str, Any]
) -> tuple[RuleFindings, ...]:
    """The findings by rule, in the order of the rules."""
    found = {
        rule: tuple(_finding(one, version) for one in warnings if one["rule"] == rule)
        for rule in RULES
    }
    return tuple(RuleFindings(RULES[rule], told) for rule, told in found.items() if told)


def _finding(finding: Mapping[str, Any], version: Mapping[str, Any]) -> Finding:
    stages = {stage["id"]: stage for stage in version["stages"]}
    stage = stages.get(finding["stage"] or "")
    where = [stage["name"]] if stage else []
    if stage and finding["activity"]:
        where += [a["name"] for a in stage["activities"] if a["id"] == finding["activity"]]
    detail = str(finding["detail"])
    if finding["rule"] == "no_value_shown" and finding["interval"]:
        low, high = finding["interval"]
        detail = f"{points(low)} to {points(high)} is possible between shown and ticked only"
    return Finding(
        where=": ".join(where),
        detail=detail,
        rests_on="its shape" if finding["n"] is None else f.count(finding["n"], "deal"),
    )


def _worth(one: Mapping[str, Any], axis: Axis, version: Mapping[str, Any]) -> Worth:
    stage = next((s for s in version["stages"] if s["id"] == one["stage"]), None)
    activities = stage["activities"] if stage else ()
    name = next((a["name"] for a in activities if a["id"] == one["activity"]), one["activity"])
    return Worth(
        name=name,
        stage=stage["name"] if stage else one["stage"],
        evidenced=rate(one["evidenced"]),
        ticked=rate(one["ticked_only"]),
        left_out=rate(one["not_ticked"]),
        outcome=axis.whisker(one["outcome_value"]),
        tick=axis.whisker(one["tick_value"]),
        verdict=VERDICTS[one["outcome_value"]["verdict"] if one["outcome_value"] else None],
        sentence=one["sentence"],
        feedback=tuple(told["statement"] for told in one["feedback"]["statements"]),
    )


def _deals(told: Mapping[str, int]) -> str:
    return (
        f"{f.count(told['n'], 'deal')}: {told['won']:,} won, {told['not_won']:,} not won,"
        f" {told['open']:,} open"
    )


def _compared(comparison: Mapping[str, Any]) -> tuple[Compared, ...]:
    win, fit = comparison["win_rate"], comparison["fitness"]
    return (
        _change("Won, of closed deals", win["this"], win["other"], win["change"]),
        _change(
            "Followed as modelled",
            fit["this"]["as_modelled"],
            fit["other"]["as_modelled"],
            fit["change"],
        ),
    )


def _change(
    name: str,
    this: Mapping[str, Any],
    other: Mapping[str, Any],
    change: Mapping[str, Any] | None,
) -> Compared:
    whisker = Axis(1.0).whisker(change)
    verdict = change["verdict"] if change else None
    words = {"more": "more", "fewer": "less", "no_difference_shown": "no difference shows"}
    return Compared(
        name=name,
        this=rate(this),
        other=rate(other),
        change=whisker.text if whisker else f.unknown("too few"),
        interval=whisker.interval if whisker else "",
        verdict=words.get(verdict or "", "too few to conclude from"),
    )


def against_of(versions: Sequence[int], version: int, wanted: int | None) -> int | None:
    """The version to compare with: the one wanted, else the one before, if there is one."""
    if wanted in versions and wanted != version:
        return wanted
    return max((one for one in versions if one < version), default=None)


def number_of(text: str | None, numbers: Iterable[int]) -> int | None:
    """The version that an address names; None where it names none that there is."""
    return next((one for one in numbers if str(one) == text), None)
