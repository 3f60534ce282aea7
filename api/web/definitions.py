"""What each figure of the pages means and how it is computed, in the words of docs/metrics.md."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure's name, and how it is computed."""

    name: str
    text: str


DEFINITIONS: Final = {
    "attainment": Definition(
        "Attainment",
        "What was booked in the quarter so far, as a share of the quota in force at that moment."
        " A booking counts for whoever the credit split of the win names.",
    ),
    "checkbox_only": Definition(
        "Checkbox-only",
        "An activity that was ticked, and whose intended outcome was not evidenced in time: nothing"
        " was recorded, or only the seller's word. Evidence counts from the level that the process"
        " asks for (customer-sourced, where it says nothing) until 14 days after the tick, the end"
        " of the stage, or the win or loss, whichever comes first. Ticks still within that time"
        " are left out.",
    ),
    "pressure_shaped": Definition(
        "Pressure-shaped",
        "An event that fell in the last days of a quarter, while the rep was behind the pace to"
        " quota, with no customer action recorded that explains it, and unlike comparable deals"
        " outside those days. All four must hold. It is consistent with quota pressure; it does"
        " not say what caused it.",
    ),
    "worth": Definition(
        "Outcome value and tick value",
        "Deals are grouped by what was true of the activity when they left its stage, and compared"
        " by how they ended. Outcome value: the share won with the outcome shown, less the share"
        " won with a tick alone. Tick value: the share won with a tick alone, less the share won"
        " without a tick. With Newcombe's 95 % interval; below 20 deals in a group no verdict is"
        " given.",
    ),
    "window": Definition(
        "In the last days",
        "Wins of the quarter that fell in its last 14 days (the policy's window), of all its wins,"
        " with the Wilson interval. Fewer than 5 wins give no share, and fewer than 20 no finding.",
    ),
    "last_day": Definition(
        "On the last business day",
        "Wins of the quarter on its last Monday to Friday, of all its wins, with the Wilson"
        " interval.",
    ),
    "window_effect": Definition(
        "Deeper in the last days",
        "For each rep with discounts on both sides, the mean depth in the last days less the mean"
        " in the days before; then the mean over reps, since the unit is the rep and not the deal."
        " p by flipping the signs of reps at random. The placebos ask the same where no quarter"
        " ends.",
    ),
    "next_step": Definition(
        "Next step",
        "Something that the customer said they will do, open, of at least a verbal action and by a"
        " day that is not past. A promise of ours is none.",
    ),
    "past_day": Definition(
        "Past their day",
        "What was to be done by a day, with the days of grace of the policy passed in full, and"
        " that nobody has recorded as kept, withdrawn or moved to another day.",
    ),
    "open": Definition(
        "Open", "The amounts of the deals that were open at this moment, each currency for itself."
    ),
    "pressure": Definition(
        "Pressure",
        "What was missing of the pace to quota, as a share of what was missing of the quota: 0 on"
        " or ahead of a straight line from nothing to the quota, 1 when all that is missing should"
        " have been booked by then. It takes the quotas of all reps together and what they booked.",
    ),
    "waterfall": Definition(
        "What moved the pipeline",
        "The pipeline of the quarter holds the deals that are open and expected to close in it."
        " What stood at the beginning, and everything that came in, less everything that went out,"
        " is what stands at the end, in every currency for itself. One event may fill several"
        " cells; each cell opens to its events. Bars are drawn in the currency of the quotas.",
    ),
}
