"""Commands that show: `deals` and `show`, as of any instant."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from api import clock
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import (
    AsOf,
    EffectiveAt,
    Json,
    UnderPolicy,
    print_changes,
    print_json,
    print_table,
)
from api.deal_seen import DealSeen
from api.errors import UnknownDealError
from api.lists import SORTS, DealFilters
from api.lists_health import RANKS
from api.moment import moment
from api.parameters import one_of, some_of
from api.settings import Settings
from api.what_if import published

_FEW: Final = 5
"""Facts told one by one; of more only their number (--json lists all)."""
_WORK: Final = (
    "quarter",
    "customer acts",
    "seller acts",
    "begun by the customer",
    "one-sided at its end",
)
_HOLDS: Final = {True: "yes", False: "no", None: "cannot be told"}


Healths = Annotated[
    str | None,
    typer.Option("--health", help="Only open deals of some of the colours red, amber and none."),
]
Order = Annotated[
    str, typer.Option("--sort", help=f"One of {', '.join(SORTS)}; a minus sign turns it round.")
]


def deals(
    *,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    health: Healths = None,
    sort: Order = "name",
    as_json: Json = False,
) -> None:
    """List the deals with their state and health, those that the source deleted last.

    An order by health begins with the worst.
    """
    colours, order = some_of("health", health, tuple(RANKS)), one_of("sort", sort, SORTS)
    rows: list[dict[str, Any]] = []
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        known = ledger.context.known(when.position)
        for deleted in (False, True):
            wanted = DealFilters(health=colours, deleted=deleted)
            rows += ledger.lists.every(when, known, wanted, sort=order)
    if as_json:
        print_json({**when.answer(), "deals": rows})
        return
    print_table(
        ["deal", "name", "account", "owner", "stage", "amount", "close date", "health"],
        [
            [
                row["deal_id"],
                row["name"],
                row["account"]["name"],
                row["owner"],
                "deleted" if row["deleted"] else row["closed"] or row["stage"],
                _amount(row["amount"]),
                row["close_date"],
                (row["health"] or {}).get("colour"),
            ]
            for row in rows
        ],
    )


def show(
    deal: Annotated[str, typer.Argument(help="A deal's id, or its id in the source.")],
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    policy: UnderPolicy = None,
    as_json: Json = False,
) -> None:
    """Show one deal: state, ticked and shown, commitments, pressure, and its history."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        seen = ledger.questions.seen(_deal_id(ledger, deal), when)
        answer: dict[str, Any] = {
            "deal": ledger.questions.deal(seen),
            "progress": ledger.questions.progress(seen),
            "commitments": ledger.questions.commitments(seen),
            "conformance": ledger.questions.conformance(seen),
            "pressure": _pressure(ledger, seen, policy),
            "history": ledger.questions.history(seen),
        }
    if as_json:
        print_json(answer)
    else:
        _print_deal(answer)


def _pressure(ledger: Ledger, seen: DealSeen, version: int | None) -> dict[str, object]:
    if version is None:
        return ledger.questions.pressure(seen)
    today = ledger.context.known(ledger.worker.position())
    return ledger.what_ifs.deal(seen, published(today, version))


def review(
    deal: Annotated[str, typer.Argument(help="A deal's id, or its id in the source.")],
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Ask the six questions of a deal review, blank ones first; with gates and health flags."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        answer: dict[str, Any] = ledger.questions.review(
            ledger.questions.seen(_deal_id(ledger, deal), when)
        )
    if as_json:
        print_json(answer)
    else:
        _print_review(answer)


def _deal_id(ledger: Ledger, deal: str) -> UUID:
    try:
        return UUID(deal)
    except ValueError:
        found = ledger.store.stream_ids_of(deal)
    if not found:
        message = f"there is no deal {deal}"
        raise UnknownDealError(message)
    return UUID(found[0].partition(":")[2])


def _print_deal(answer: dict[str, Any]) -> None:
    deal, progress, pressure = answer["deal"], answer["progress"], answer["pressure"]
    typer.echo(f"{deal['name']} ({deal['account']['name']}), owned by {deal['owner']}")
    typer.echo(
        f"stage {deal['stage'] or '-'}, {deal['closed'] or 'open'}, version {deal['version']}"
    )
    share = progress["checkbox_only"]
    typer.echo(f"checkbox-only: {'unknown' if share is None else share}")
    typer.echo(_commitments(answer["commitments"]))
    followed = answer["conformance"]
    told = [f"{count} {name.replace('_', ' ')}" for name, count in followed["counts"].items()]
    fitness = followed["alignment"]["fitness"]
    typer.echo(f"fitness: {'unknown' if fitness is None else fitness} ({', '.join(told)})")
    shares = pressure["shares"]
    typer.echo(f"pressure-shaped: {shares['shaped']} of {shares['evaluable']} evaluable events")
    for pattern in pressure["patterns"]:
        if pattern["holds"]:
            typer.echo(f"{pattern['rule']}: {pattern['sentence']}")
    if "what_if" in pressure:
        print_changes(pressure["what_if"])
    print_table(_WORK, _work(answer["commitments"]))
    print_table(["activity", "stage", "status", "learned", "changed"], _activities(progress))
    _print_unlinked(progress["unlinked_facts"])
    print_table(
        ["occurred", "recorded", "event", "driver", "verdict"],
        [
            [
                f"{event['occurred_at']:%Y-%m-%d %H:%M}",
                f"{event['recorded_at']:%Y-%m-%d %H:%M}",
                event["title"],
                event["driver"],
                (event["pressure"] or {}).get("verdict"),
            ]
            for event in answer["history"]["events"]
        ],
    )


def _print_review(answer: dict[str, Any]) -> None:
    for question in answer["questions"]:
        typer.echo(question["question"])
        typer.echo(f"    {_latest(question)}")
    for gate in answer["gates"]:
        still = ", ".join(gate["still_unmet"]) or "nothing"
        typer.echo(f"gate of {gate['stage']}: {gate['decision']}, still unmet: {still}")
    health = answer["health"]
    typer.echo(f"health: {health['colour'] or 'not told of a closed deal'}")
    if health["flags"]:
        print_table(
            ["flag", "colour", "holds", "value", "threshold"],
            [
                [f["flag"], f["colour"], _HOLDS[f["holds"]], f["value"], f["threshold"]]
                for f in health["flags"]
            ],
        )


def _latest(question: dict[str, Any]) -> str:
    """Give the latest answer of a question, how old it is and whose word, or why there is none."""
    if question["state"] == "blank":
        return "blank"
    if not question["answers"]:
        return "none"
    one = question["answers"][0]
    missing = f"; nothing about {', '.join(question['missing'])}" if question["missing"] else ""
    return f"{one['title']} ({one['age_days']} days ago, by the {one['word']}){missing}"


def _commitments(answer: dict[str, Any]) -> str:
    customer, seller = answer["customer"], answer["seller"]
    days = customer["days_since_customer_act"]
    last = "no customer act recorded" if days is None else f"last customer act {days} days ago"
    ours = f"{seller['counts']['open']} open, kept {seller['kept']} of {seller['kept_n']}"
    return (
        f"commitments: level {customer['level']}, {customer['live']} live, "
        f"kept {customer['kept']} of {customer['kept_n']}; {last}; our promises: {ours}"
    )


def _print_unlinked(facts: Sequence[dict[str, Any]]) -> None:
    """Print the first facts that no activity is linked to, and how many more there are."""
    if facts:
        typer.echo("learned, and linked to no activity:")
    for fact in facts[:_FEW]:
        typer.echo(f"    {_fact(fact)}")
    if len(facts) > _FEW:
        typer.echo(f"    and {len(facts) - _FEW} more")


def _fact(fact: dict[str, Any]) -> str:
    return f"{fact['kind']} {fact['value']}"


def _work(answer: dict[str, Any]) -> list[list[object]]:
    """Give who did the work of each quarter, and what was one-sided at its end."""
    return [
        [
            one["quarter"],
            one["customer"]["acts"],
            one["seller"]["acts"],
            one["customer_initiated"]["initiated"],
            one["one_sided"]["acts"],
        ]
        for one in answer["by_quarter"]
    ]


def _activities(progress: dict[str, Any]) -> list[list[object]]:
    """Give the ticked activities, each with the facts that are linked to it."""
    return [
        [
            one["activity"],
            one["stage"],
            one["status"].replace("_", " "),
            "; ".join(map(_fact, one["learned"])) or "none linked",
            {True: "yes", False: "nothing", None: None}[one["changed"]],
        ]
        for one in progress["activities"]
        if one["ticked_at"]
    ]


def _amount(amount: dict[str, str] | None) -> str | None:
    return None if amount is None else f"{amount['currency']} {amount['amount']}"
