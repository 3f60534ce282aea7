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
        " without a tick. With Newcombe's 95% interval; below 20 deals in a group no verdict is"
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
    "customers_late": Definition(
        "Customers are late",
        "What customers of open deals said they will do, past its day and the policy's days of"
        " grace, and that nobody has recorded as kept, broken, withdrawn or moved.",
    ),
    "we_late": Definition(
        "We are late",
        "What we promised customers of open deals, past its day and the policy's days of grace, and"
        " that nobody has recorded as kept or broken.",
    ),
    "customers_open": Definition(
        "Customers will",
        "What customers of open deals said they will do and nobody has settled, whose day and days"
        " of grace are not past, or that has no day.",
    ),
    "we_open": Definition(
        "We will",
        "What we promised customers of open deals and nobody has settled, whose day and days of"
        " grace are not past, or that has no day.",
    ),
    "review_deals": Definition(
        "Deals", "Open deals of whom and of which health was asked for, on all pages of the list."
    ),
    "unanswered": Definition(
        "Unanswered",
        "Of the six questions of each deal on this page, those that nothing was recorded about, or"
        " not about each of their parts.",
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
    "amount": Definition(
        "Amount",
        "What was recorded last by this moment: at the opening, at a change since, or as the price"
        " that was signed. Small beside it: the list price of the win, where it is another.",
    ),
    "close_date": Definition(
        "Close date",
        "The day on which the deal is expected to close, as recorded last by this moment. Each move"
        " of it is an event of its own: a push to a later day, a pull-in to an earlier one.",
    ),
    "events": Definition(
        "Events",
        "What was recorded about this deal by this moment. What was amended or retracted stays in"
        " the ledger and counts.",
    ),
    "led": Definition(
        "Customer-led movement",
        "Forward moves of the stage with a customer action behind them: one that the move names, or"
        " one within the seven days before that no other move has used up. Of all forward moves;"
        " the first stage is how a deal begins and no move.",
    ),
    "coverage": Definition(
        "Recording coverage",
        "How often customer actions are recorded here at all: of the seller events outside the last"
        " days of a quarter that can be judged, those with a customer action that explains them."
        " Where little is recorded, that nothing explains an event says little.",
    ),
    "exposure": Definition(
        "Owner behind pace",
        "The share of the deal's open time in which the pressure on its owner was at the policy's"
        " threshold or above, of the time for which a quota was known.",
    ),
    "offered": Definition(
        "Offered",
        "Of the list price, the part that pressure-shaped discounts would have given away when they"
        " were put to the customer. Overlapping cuts count once.",
    ),
    "realised": Definition(
        "Realised",
        "The same cuts at the depth that was signed; won deals only.",
    ),
    "floor": Definition(
        "Floor",
        "The part of what was realised that also goes beyond the median discount of comparable"
        " deals outside the last days of quarters.",
    ),
    "net_without": Definition(
        "Net without them",
        "The list price less the discount that was on offer before the first pressure-shaped one,"
        " or less the median of comparable deals if there was none.",
    ),
    "close_without": Definition(
        "Close date without them",
        "The close date as it stood before the first pull-in that is pressure-shaped.",
    ),
    "health": Definition(
        "Health",
        "Flags that either hold, do not hold, or cannot be told. Red: the close date is past;"
        " forecast as commit without a written commitment; three pushes or more; a broken"
        " commitment of budget or more. Amber: longer in its stage than nine in ten stays; one"
        " contact only; no next step of the customer with a day; more than half of the settled"
        " ticks checkbox-only.",
    ),
    "taught": Definition(
        "What ticks taught",
        "A tick taught something where a fact about the customer was recorded that names it. Facts"
        " that name no tick are counted apart: any may have brought them.",
    ),
    "deal_pressure": Definition(
        "Quota pressure over the deal",
        "At every instant, what was missing of the owner's pace to quota, as a share of what was"
        " missing of the quota: (quota x share of the quarter gone - booked) / (quota - booked),"
        " between 0 and 1; 0 once the quota is booked, unknown without a quota. Hatched: at the"
        " policy's threshold or above.",
    ),
    "wins": Definition(
        "Won", "Wins that were recorded in this time and were not taken back by its end."
    ),
    "losses": Definition("Lost", "Losses and disqualifications that were recorded in this time."),
    "moves": Definition(
        "Stage moves",
        "Stages entered from another one. The first stage of a deal is how it begins and a closing"
        " is its outcome; neither is a move.",
    ),
    "pushes": Definition("Pushed out", "Close dates moved to a later day than the one before."),
    "pull_ins": Definition("Pulled in", "Close dates moved to an earlier day than the one before."),
    "discounts": Definition("Discounts offered", "Prices below list that were put to a customer."),
    "broken_commitments": Definition(
        "Commitments broken",
        "What somebody on either side said they would do, and that was recorded as broken in this"
        " time, or whose day and days of grace passed in it.",
    ),
    "taken_back": Definition(
        "Reopened or reversed", "Closed deals that were opened again, and wins that were reversed."
    ),
    "opened": Definition("Opened", "Deals whose opening was recorded in this time."),
    "open_deals": Definition(
        "Open deals",
        "Deals of this rep that were neither won, lost nor disqualified at this moment.",
    ),
    "quarter_wins": Definition(
        "Won",
        "Deals whose win fell in the quarter and that stand won at this moment: a win that was"
        " reversed, or a deal that was opened again, is none.",
    ),
    "close_pattern": Definition(
        "When deals were won",
        "Each day of the quarter with its wins, and below the line its losses and"
        " disqualifications. Shaded: the last 14 days, which is the policy's window. A spike can be"
        " effort, customers' own deadlines, or deals held back: alone it proves nothing.",
    ),
    "discount_days": Definition(
        "Discounts against days left",
        "The mean depth of the discounts offered with so many days left of the quarter, with its"
        " 95% interval; of fewer than five only their number. Below: the rank correlation"
        " (Spearman) of depth and days left.",
    ),
    "quarter_says": Definition(
        "What the quarter says",
        "Each sentence is a count of the quarter with its comparison: win rates of the last month"
        " against the rest, close dates pulled over the quarter's end, wins beyond the daily mean"
        " of the interior against what is missing after it, and the money of pressure-shaped"
        " discounts. Rates carry their number and interval; below 20 no verdict is given.",
    ),
    "lines": Definition(
        "By team and rep",
        "The same counts as above for each, of wins in which they have a credit. In the order of"
        " names: it is no ranking. Shares of fewer than five wins are not given.",
    ),
    "audit_counts": Definition(
        "Counted events",
        "The events up to the position that the query holds for and that are yours to see, by what"
        " they have in common, the largest group first. An event is in one group only.",
    ),
    "booked": Definition(
        "Booked",
        "The signed amounts of the quarter's wins, each credited by the split of the win, less wins"
        " that were reversed in the quarter; every currency for itself.",
    ),
    "pipeline": Definition(
        "Open",
        "Deals that were open at the end of the quarter, or are open now while it runs, with their"
        " amounts; of them those whose close date lies in the quarter.",
    ),
    "rep_progress": Definition(
        "Progress of open deals",
        "For each owner of open deals: the settled activities that are checkbox-only, and the"
        " forward moves of the stage with a customer action behind them.",
    ),
    "quota": Definition(
        "Quota",
        "The quotas of the quarter in force at this moment, of all reps together where nobody is"
        " named.",
    ),
    "replayed_deals": Definition(
        "Deals", "Deals that were open in the quarter or closed in it, as this replay knows them."
    ),
    "replayed_events": Definition(
        "Events",
        "What was told about deals on the days of the quarter; in a replay as known now, what"
        " occurred on them.",
    ),
    "replayed_wins": Definition(
        "Won",
        "Wins of the quarter up to the instant that is shown, less those reversed; below it what"
        " they booked.",
    ),
    "lint": Definition(
        "What it would do better without",
        "Rules over the process and its deals: activities without an outcome, outcomes that are"
        " never evidenced, more than five stages or three required outcomes in one, steps ticked"
        " in 80% of the deals and evidenced in 20% at most, steps not ticked for 90 days, and"
        " outcome values whose interval holds 0 at 100 deals or more.",
    ),
    "compared": Definition(
        "One version against another",
        "The deals that were judged by each version, side by side; apart: the difference with its"
        " 95% interval (Newcombe for shares). Deals still open are counted and not compared.",
    ),
    "stay": Definition(
        "Days in a stage",
        "The median stay (Kaplan-Meier): half of the stays end sooner; stays that go on still"
        " count as at least so long.",
    ),
}
