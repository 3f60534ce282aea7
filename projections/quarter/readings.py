"""The sentences about pressure in a quarter: what was found, how surely, and what it fits.

They say "consistent with", because a quarter's figures never tell why anything was done.
"""

from typing import Final

from domain.comparisons import COUNTS_ONLY, NO_VERDICT, Rate
from domain.intervals import Mean
from projections.quarter.cost import PressureCost
from projections.quarter.offers import LEVEL, Effect, Trend
from projections.quarter.payback import Payback
from projections.quarter.words import between, percent, rated, too_few

NOT_OVER: Final = "The quarter is not over: this is what there is so far, and nothing is concluded."
NO_PAYBACK: Final = (
    "Excess and trough are not evaluable: the quarter that follows is not far enough, or unknown."
)


def undecided(told: dict[str, object]) -> dict[str, object]:
    """Take the conclusions from an answer about a quarter that is not over."""
    plain: dict[str, object] = {}
    for name, value in told.items():
        match name, value:
            case "finding", _:
                plain[name] = None
            case "conclusive", _:
                plain[name] = False
            case "sentence", _:
                plain[name] = NOT_OVER
            case _, dict():
                plain[name] = undecided(value)
            case _, list():
                plain[name] = [undecided(o) if isinstance(o, dict) else o for o in value]
            case _:
                plain[name] = value
    return plain


def trend_sentence(found: Trend) -> str:
    """Say whether discounts deepen as the quarter runs out."""
    if found.n < COUNTS_ONLY or found.finding is None or found.interval is None:
        if found.n >= NO_VERDICT:
            return (
                "Every discount is as deep, or was offered on one day: there is no trend to tell."
            )
        return too_few(found.n, "discounts offered in the quarter")
    low, high = found.interval
    told = (
        f"Of {found.n} discounts, depth and days left have a rank correlation of {found.rho:.2f}"
        f" (95 % interval {low:.2f} to {high:.2f})"
    )
    match found.finding:
        case "deeper":
            end = (
                "This is consistent with discounts that deepen as the quarter runs out, and with"
                " deals that come late being others"
            )
        case "shallower":
            end = "This is consistent with deeper discounts early in the quarter"
        case _:
            end = "This is consistent with depths that do not depend on the days left"
    return f"{told}. {end}."


def effect_sentence(found: Effect) -> str:
    """Say whether reps discount deeper in the window than in the interior."""
    if found.finding is None:
        return too_few(found.mean.n, "reps with discounts both in the window and before it")
    match found.finding:
        case "deeper":
            end = "This is consistent with quota pressure, and with customers who wait for the end"
        case "shallower":
            end = "This is not consistent with discounts that deepen under quota pressure"
        case _:
            end = (
                "This is consistent with no change of discounts at the quarter's end; no discount"
                " pressure is claimed"
            )
    return f"{_compared(found, 'in the window than in the interior')}. {end}."


def placebo_sentence(name: str, found: Effect) -> str:
    """Say what the same test finds where no fiscal quarter ends."""
    if found.finding is None:
        return too_few(found.mean.n, "reps with discounts on both sides of the placebo")
    if found.finding == "deeper":
        end = (
            "Discounts deepen here as well, so that a difference in the window is consistent with"
            " something else than the fiscal quarter's end"
        )
    else:
        end = "This is consistent with a test that finds nothing where nothing is expected"
    return f"{_compared(found, f'in the placebo ({_words(name)}) than otherwise')}. {end}."


def no_placebo(name: str) -> str:
    """Say that a placebo cannot be tried in this quarter."""
    return f"The placebo ({_words(name)}) has no days in the interior of this quarter."


def pull_ins_sentence(rate: Rate) -> str:
    """Say how many close dates were pulled in, and how many of them late."""
    if not rate.conclusive:
        return too_few(rate.n, "close dates pulled into the quarter")
    told = f"{rated(rate, 'close dates pulled into the quarter')} were pulled in during the window"
    if rate.successes == 0:
        return f"{told}. This is consistent with dates that the quarter's end does not move."
    return f"{told}. This is consistent with pressure to close, and with customers who hurry."


def payback_sentence(found: Payback) -> str:
    """Say whether wins were beyond the normal in the window, and missing afterwards."""
    if found.finding is None or found.excess is None or found.trough is None:
        return too_few(found.wins, "wins in the quarter and after it")
    told = (
        f"The window has {found.in_window} wins, {found.excess.value:.1f} more than usual"
        f" ({between(found.excess.interval, points=True)})"
    )
    if found.finding == "no_excess" or found.ratio is None or found.interval is None:
        return f"{told}. This is consistent with a window like any other days."
    after = (
        f"afterwards {found.trough.value:.1f} are missing, a payback of {found.ratio:.2f}"
        f" (95 % interval {found.interval[0]:.2f} to {found.interval[1]:.2f})"
    )
    match found.finding:
        case "paid_back":
            end = "This is consistent with wins borrowed, in part or whole, from the next quarter"
        case "not_paid_back":
            end = "This is consistent with effort or customers' own timing more than with borrowing"
        case _:
            end = "This is consistent with borrowed wins, and with effort or customers' own timing"
    return f"{told}; {after}. {end}."


def cost_sentence(found: PressureCost) -> str:
    """Say what share of the revenue the flagged discounts gave away beyond the normal."""
    if found.unknown:
        return (
            f"Of {found.wins} wins {found.unknown} lack a quota, a baseline, a list price or a plan"
            " rate: the cost of pressure is not evaluable, and what is known of it is a part."
        )
    if not found.conclusive or found.share is None or found.interval is None:
        return too_few(found.wins, "wins")
    if not found.flagged:
        return (
            f"No recorded discount on {found.wins} wins is pressure-shaped: no cost is claimed."
            " This is consistent with prices that quota pressure left alone, and with discounts"
            " that were not recorded."
        )
    told = (
        f"Discounts flagged on {len(found.flagged)} of {found.wins} wins exceed the usual ones by"
        f" {100 * float(found.share):.1f} % of what was signed (95 % interval"
        f" {100 * found.interval[0]:.1f} % to {100 * found.interval[1]:.1f} %)"
    )
    if found.interval[0] <= 0:
        return f"{told}. This is consistent with a cost of quota pressure, and with none."
    return (
        f"{told}. This is consistent with a cost of quota pressure; what else it was is not known."
    )


def late_deals_sentence(rate: Rate) -> str:
    """Say how many late wins were never seen in the pipeline before the window."""
    if not rate.conclusive:
        return too_few(rate.n, "wins in the window")
    told = f"{rated(rate, 'wins in the window')} were of deals opened only there"
    if rate.successes == 0:
        return f"{told}. This is consistent with a pipeline that showed what would be won."
    return (
        f"{told}, so that no earlier pipeline showed them. This is consistent with deals entered"
        " once they are sure, and with short sales."
    )


def shares_sentence(rate: Rate, unknown: int = 0) -> str:
    """Say how many seller events are pressure-shaped, and how many could not be judged."""
    if not rate.conclusive:
        return too_few(rate.n, "seller events that could be judged")
    told = f"{rated(rate, 'seller events that could be judged')} are pressure-shaped"
    if unknown:
        told = f"{told}, and {unknown} more lack what a judgement takes"
    if rate.successes == 0:
        reading = "" if unknown else " This is consistent with sales without quota pressure."
        return f"{told}: no quota pressure is claimed.{reading}"
    why = "with no customer action recorded that explains them"
    return f"{told}: consistent with quota pressure, {why}."


def _compared(found: Effect, where: str) -> str:
    mean = found.mean
    return (
        f"{mean.n} reps discounted on average {_points(mean)} points deeper {where}"
        f" (sign-flip test over reps, p = {found.p:.3f}, level {percent(LEVEL)})"
    )


def _points(mean: Mean) -> str:
    if mean.value is None or mean.interval is None:
        return "an unknown number of"
    return f"{mean.value:.1f} ({between(mean.interval, points=True)})"


def _words(name: str) -> str:
    return name.replace("_", " ")
