"""What the sample company sells, and what its customers want, fear and weigh with each product.

`{n}` and `{m}` are filled with figures of the deal, `{n}` being the larger one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Product:
    """Something for sale, with the talk around it: (goal, measure), (consequence, who)."""

    name: str
    scopes: Sequence[str]
    goals: Sequence[tuple[str, str]]
    consequences: Sequence[tuple[str, str]]
    criteria: Sequence[str]
    alternatives: Sequence[str]
    obstacles: Sequence[str]


SCHEDULING: Final = Product(
    "Line scheduling",
    ("scheduling for {m} lines", "plant scheduling, phase 1", "weekly and daily planning"),
    (
        ("Ship on the promised day without overtime", "On-time delivery from 8{m} to 96 percent"),
        ("Plan a week in an hour instead of a day", "Planner hours per week, now {n}"),
        ("Cut changeovers on the busiest lines", "Changeovers per week, {n} today"),
        ("Take on the new contract without a third shift", "Output per shift up by {m} percent"),
    ),
    (
        ("Late deliveries cost the framework contract at its renewal", "Sales director"),
        ("Weekend shifts continue, and {m} operators have already left", "Plant manager"),
        ("The planner retires, and the schedule lives in her spreadsheet", "Head of operations"),
        ("Express freight runs at twice the budget again", "Finance"),
    ),
    (
        "A planner must be able to override the plan by hand",
        "Runs with the ERP we have, no second item master",
        "First line live within {m} weeks",
        "Reference in a plant with frequent changeovers",
    ),
    (
        "Stay with the spreadsheet and hire a second planner",
        "The scheduling module of the ERP supplier",
        "An internal tool that the IT department has begun",
    ),
    (
        "Routings in the ERP are wrong for about {m} articles",
        "The shift leaders do not want their board taken away",
        "No project money before the next budget round",
        "The plant's IT is busy with a network migration until next month",
    ),
)
TRACEABILITY: Final = Product(
    "Batch traceability",
    ("batch traceability", "traceability for {m} sites", "recall readiness"),
    (
        ("Trace a lot from shelf to supplier within an hour", "Mock recall time, now {n} hours"),
        ("Pass the retailer audit without a major finding", "Major findings, {m} last year"),
        ("End double entry between scale and paper sheet", "Typed records a day, {n} to none"),
        ("Limit a recall to the lots concerned", "Share of stock blocked in the last recall"),
    ),
    (
        ("The largest retailer delists us after a second failed audit", "Managing director"),
        ("A recall would block {n} tonnes because lots cannot be told apart", "Quality lead"),
        ("Two clerks spend their week typing paper sheets", "Head of operations"),
        ("The insurer raises the recall premium at renewal", "Finance"),
    ),
    (
        "Scanning must work with gloves and in the cold store",
        "Auditor accepts the electronic record without paper",
        "Works when the network is down for an hour",
        "Price per site, not per user",
    ),
    (
        "Keep paper and add a second check",
        "The labelling supplier's own tracking product",
        "Wait for the group-wide system of the parent company",
    ),
    (
        "Three scales have no digital interface",
        "The quality manager left, her successor starts next month",
        "Group IT has to approve anything in the cloud",
        "The works council wants to see what is recorded about people",
    ),
)
QUALITY: Final = Product(
    "Quality control",
    ("inspection and release", "quality control for {m} laboratories", "deviation handling"),
    (
        ("Release a batch in two days instead of {m}", "Days from production to release"),
        ("See a drift before it makes scrap", "Scrap rate, {m} percent today"),
        ("Close deviations in time for the inspection", "Open deviations older than 30 days: {n}"),
        ("One specification instead of {n} local versions", "Versions of a specification in use"),
    ),
    (
        ("Stock worth a month of sales waits for release", "Finance"),
        ("The next inspection finds the same deviation again", "Quality lead"),
        ("Scrap eats the margin of the new product line", "Operations"),
        ("Two analysts leave because of the paperwork", "Laboratory manager"),
    ),
    (
        "Validation documents included",
        "Electronic signature accepted by our inspector",
        "Analysts can learn it in a day",
        "Instruments connected without an extra server",
    ),
    (
        "Extend the laboratory system that is in place",
        "Do nothing until the inspection in spring",
        "A regional supplier at half the price",
    ),
    (
        "Validation capacity is booked until the end of the quarter",
        "The security officer has not released cloud services",
        "Two sites disagree on the release workflow",
        "Budget sits with another department",
    ),
)
MAINTENANCE: Final = Product(
    "Maintenance planning",
    ("planned maintenance", "maintenance for {m} plants", "spare parts and work orders"),
    (
        ("Halve unplanned stops of the bottleneck machine", "Unplanned stops a month, {n} now"),
        ("Keep the spare part that is needed, not all of them", "Spare part stock in thousands"),
        ("Know what a machine really costs", "Maintenance cost per machine and month"),
        ("Finish the shutdown in {m} days", "Days of the yearly shutdown"),
    ),
    (
        ("One more stop like in spring costs a week of output", "Plant manager"),
        ("The two men who know the press retire next year", "Head of maintenance"),
        ("Safety inspections slip, and the regulator has noticed", "Site manager"),
        ("Spare parts worth {n} thousand lie unused", "Finance"),
    ),
    (
        "Technicians use it on a phone without training",
        "History of the old system is carried over",
        "Interface to purchasing for spare parts",
        "Support in our shift hours",
    ),
    (
        "The machine builder's service contract",
        "A whiteboard and weekly meetings, as today",
        "The maintenance module of the ERP supplier",
    ),
    (
        "Nobody has a complete list of the machines",
        "Technicians have no devices yet",
        "The site manager waits for the group's decision on suppliers",
        "Purchasing insists on three offers",
    ),
)
PRODUCTS: Final = {
    "food": (TRACEABILITY, SCHEDULING, QUALITY),
    "parts": (SCHEDULING, MAINTENANCE, QUALITY),
    "health": (QUALITY, TRACEABILITY),
    "process": (MAINTENANCE, QUALITY, SCHEDULING),
}
"""What each segment buys."""
