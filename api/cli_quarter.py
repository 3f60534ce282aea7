"""What commands about a quarter take, and how its answers read on a terminal."""

from typing import Annotated, Any

import typer

from api.cli_output import print_table
from projections.quarter.steps import Scope

Answer = dict[str, Any]
Quarter = Annotated[str, typer.Argument(help="Such as FY2026Q3.")]
Rep = Annotated[str | None, typer.Option(help="Only one rep's deals.")]
Team = Annotated[str | None, typer.Option(help="Only one team's deals.")]
Restate = Annotated[bool, typer.Option(help="In today's context too, with what differs.")]


def scope_of(rep: str | None, team: str | None) -> Scope:
    """Give whose deals count; bad usage where both are named."""
    if rep is not None and team is not None:
        message = "give a rep or a team, not both"
        raise typer.BadParameter(message, param_hint="--team")
    return Scope(rep, team)


def print_figures(told: Answer) -> None:
    """Print where a quarter stood, and when: pipeline, attainment, progress and verdicts."""
    late = ", after the quarter's end; --as-of shows an earlier moment" if told["after_end"] else ""
    typer.echo(f"figures as they stand at {told['stands_at']}{late}")
    open_deals = told["pipeline"]["open"]
    stages = [[s["stage"], s["deals"], amounts(s["amounts"])] for s in open_deals["by_stage"]]
    print_table(["stage", "open deals", "amount"], stages)
    reps = [
        [rep["rep"], amounts([rep["quota"]]), amounts([rep["attained"]]), amounts([rep["pace"]])]
        for rep in told["reps"]
    ]
    print_table(["rep", "quota", "attained", "pace"], reps)
    verdicts = told["pressure"]
    typer.echo(f"checkbox-only: {told['progress']['checkbox_only']}")
    typer.echo(f"pressure-shaped: {verdicts['shaped']} of {verdicts['evaluable']} evaluable events")


def amounts(given: list[dict[str, str] | None]) -> str | None:
    """Write amounts, each with its currency; None where there is none."""
    told = [f"{one['currency']} {one['amount']}" for one in given if one]
    return ", ".join(told) or None


def print_restated(told: Answer) -> None:
    """Print what differs in today's context, where that was asked for."""
    for one in told.get("difference", []):
        typer.echo(f"restated: {one['at']}: {one['then']} then, {one['now']} now")


def print_pattern(told: Answer) -> None:
    """Print when the deals of a quarter were won, and how often."""
    typer.echo(told["sentence"])
    if told["pattern"] is not None:
        _print_parts(told["pattern"])
    rates = told["win_rates"]
    typer.echo(rates["sentence"])
    rows = [[month["from"], month["to"], *rated(month)] for month in rates["months"]]
    print_table(["from", "to", "won", "of closed", "win rate", "95 % interval"], rows)


def _print_parts(pattern: Answer) -> None:
    parts = {
        "first day": pattern["first_business_day"],
        "last day": pattern["last_business_day"],
        "window": pattern["window"],
        **{f"month {number}": month for number, month in enumerate(pattern["months"], 1)},
    }
    rows = [
        [name, part["from"], part["to"], part["count"], share_of(part["share"]),
         interval_of(part["interval"]), share_of(part["even"])]
        for name, part in parts.items()
    ]  # fmt: skip
    print_table(["part", "from", "to", "wins", "share", "95 % interval", "if even"], rows)
    for name in ("spike_ratio", "weekly_gini", "linearity"):
        value = pattern[name]
        typer.echo(f"{name.replace('_', ' ')}: {'-' if value is None else f'{value:.2f}'}")


def rated(rate: Answer) -> list[object]:
    """Give the cells of a rate: its counts, its share and its interval."""
    return [rate["count"], rate["n"], share_of(rate["share"]), interval_of(rate["interval"])]


def share_of(share: float | None) -> str | None:
    """Write a share in per cent."""
    return None if share is None else f"{100 * share:.1f} %"


def interval_of(interval: list[float] | None) -> str | None:
    """Write an interval of shares in per cent."""
    return None if interval is None else " to ".join(f"{100 * end:.1f} %" for end in interval)


def print_pressure(told: Answer) -> None:
    """Print what of a quarter is consistent with quota pressure, each figure with its sentence."""
    _print_bins(told["discounts_by_days_left"])
    _print_effects(told["window_effect"])
    for name in ("pull_ins", "excess_and_trough", "cost", "new_and_won_late", "shares"):
        typer.echo(told[name]["sentence"])


def _print_bins(trend: Answer) -> None:
    typer.echo(trend["sentence"])
    rows = [
        [_left(one["days_left"]), one["n"], _points(one["mean"]), _ends(one["interval"])]
        for one in trend["bins"]
    ]
    print_table(["days left", "discounts", "mean %", "95 % interval"], rows)


def _print_effects(main: Answer) -> None:
    effects = {
        "window": main,
        **{f"window, {one['segment']}": one for one in main["segments"]},
        **{one["placebo"].replace("_", " "): one["effect"] for one in main["placebos"]},
    }
    rows = [
        [name, one["n"], _points(one["mean"]), _ends(one["interval"]), one["p"]]
        for name, one in effects.items()
        if one is not None
    ]
    print_table(["discounts deeper in", "reps", "points", "95 % interval", "p"], rows)
    for one in (main, *main["placebos"]):
        typer.echo(one["sentence"])


def _left(days: Answer) -> str:
    first, last = days["from"], days["to"]
    if last is None:
        return f"{first} or more"
    return f"{first}" if first == last else f"{first} to {last}"


def _points(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


def _ends(interval: list[float] | None) -> str | None:
    return None if interval is None else " to ".join(f"{end:.1f}" for end in interval)
