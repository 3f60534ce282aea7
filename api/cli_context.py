"""Commands that set and show the context: calendar, process, policy, quota, member."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
import yaml
from pydantic import ValidationError

from api import clock
from api.application import Caller, Command, Intent
from api.bootstrap import open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, Json, print_changes, print_json, print_table
from api.cli_process import lint_answer, show_effectiveness, show_lint
from api.errors import MalformedRequestError
from api.exchange.profile import reasons
from api.identity.permissions import OPERATOR
from api.moment import Moment, moment
from api.settings import Settings
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.known import Known
from domain.policy import policy_from
from domain.quota import quota_stream

_ALWAYS = "1970-01-01"
_PROCESS = ["id", "version", "name", "stages"]


def calendar(
    *,
    zone: Annotated[str | None, typer.Option(help="IANA zone, such as Europe/Berlin.")] = None,
    kind: Annotated[str, typer.Option(help="months, weeks or explicit.")] = "months",
    start_month: Annotated[int, typer.Option(help="First month of the fiscal year.")] = 1,
    parameters: Annotated[
        str | None, typer.Option(help="The parameters of weeks or explicit, as JSON.")
    ] = None,
    effective_from: Annotated[str, typer.Option(help="First local day it is in force.")] = _ALWAYS,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Adopt a fiscal calendar, or show those adopted."""
    if zone is not None:
        given = json.loads(parameters) if parameters else {"start_month": start_month}
        data = {
            "zone": zone,
            "kind": kind,
            "parameters": given,
            "effective_from": date.fromisoformat(effective_from).isoformat(),
        }
        tell("calendar", "calendar_adopted", data)
    known, when = _known(as_of, effective_at)
    adopted = [
        {
            "effective_from": one.effective_from,
            "zone": one.calendar.zone,
            "kind": type(one.calendar).__name__,
        }
        for one in known.calendar.adopted
        if when.cut is None or one.effective_from <= when.cut.date()
    ]
    _show(as_json, when, {"calendars": adopted}, ["effective_from", "zone", "kind"], adopted)


def process(
    *,
    process_id: Annotated[str | None, typer.Argument(help="Id of the process.")] = None,
    publish: Annotated[
        Path | None, typer.Option(help="YAML or JSON file with version, name, stages, closing.")
    ] = None,
    lint: Annotated[bool, typer.Option(help="Say what the process should do without.")] = False,
    effectiveness: Annotated[
        bool, typer.Option(help="Say what its activities go with, and compare two versions.")
    ] = False,
    version: Annotated[int | None, typer.Option(help="Default: the latest.")] = None,
    against: Annotated[int | None, typer.Option(help="Default: the version before.")] = None,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Publish a version of a sales process, or show what is published and what it is worth."""
    if process_id is None and (publish is not None or lint or effectiveness):
        message = "name the process"
        raise typer.BadParameter(message, param_hint="PROCESS_ID")
    if process_id is not None and effectiveness:
        show_effectiveness(process_id, version, against, as_of, effective_at, as_json=as_json)
    elif process_id is not None and lint:
        show_lint(lint_answer(process_id, version, as_of, effective_at), as_json=as_json)
    elif process_id is not None and publish is not None:
        _publish(process_id, publish, as_json=as_json)
    else:
        known, when = _known(as_of, effective_at)
        shown = _processes(known.true_at(when.cut), process_id)
        _show(as_json, when, {"processes": shown}, _PROCESS, shown)


def _publish(process_id: str, file: Path, *, as_json: bool) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    tell(f"process:{process_id}", "process_published", data)
    known, when = _known(None, None)
    shown = _processes(known, process_id)
    linted = lint_answer(process_id, data["version"], None, None)
    _show(as_json, when, {"processes": shown, "warnings": linted["warnings"]}, _PROCESS, shown)
    if not as_json:
        show_lint(linted, as_json=False)


def _processes(known: Known, process_id: str | None) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "version": one.version, "name": one.name, "stages": len(one.stages)}
        for one in known.catalogue.values()
        if process_id in (None, one.id)
    ]


def policy(
    *,
    publish: Annotated[
        Path | None, typer.Option(help="YAML or JSON file with version and numbers.")
    ] = None,
    what_if: Annotated[
        Path | None,
        typer.Option(help="Such a file: the verdicts of --quarter under it; records nothing."),
    ] = None,
    quarter: Annotated[str | None, typer.Option(help="Such as FY2026Q3, with --what-if.")] = None,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Publish a policy, show the one in force, or what another would say of a quarter."""
    if what_if is not None:
        _show_what_if(what_if, quarter, as_of, effective_at, as_json=as_json)
        return
    if publish is not None:
        data = yaml.safe_load(publish.read_text(encoding="utf-8"))
        tell("policy", "policy_published", data)
    known, when = _known(as_of, effective_at)
    numbers = known.true_at(when.cut).policy.model_dump(mode="json")
    rows = [{"number": name, "value": value} for name, value in numbers.items()]
    _show(as_json, when, {"policy": numbers}, ["number", "value"], rows)


def quota(
    *,
    who: Annotated[str | None, typer.Argument(help="A rep's id, or a team's with --team.")] = None,
    quarter: Annotated[str | None, typer.Argument(help="Such as FY2026Q3.")] = None,
    amount: Annotated[str | None, typer.Option(help="Such as 250000.00.")] = None,
    currency: Annotated[str, typer.Option(help="Three letters.")] = "USD",
    team: Annotated[bool, typer.Option(help="The quota is a team's.")] = False,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Assign or revise a quota, or show the quotas."""
    if amount is not None:
        if who is None or quarter is None:
            message = "name who the quota is for and the quarter"
            raise typer.BadParameter(message, param_hint="WHO QUARTER")
        _set_quota(who, quarter, {"amount": amount, "currency": currency}, team=team)
    known, when = _known(as_of, effective_at)
    shown = [
        {
            "who": history.rep or f"team {history.team}",
            "quarter": history.quarter,
            "since": step.since,
            "amount": None if step.amount is None else f"{step.amount.amount:f}",
            "currency": step.amount.currency if step.amount else None,
        }
        for history in known.quotas.values()
        for step in history.steps
        if (when.cut is None or step.since <= when.cut)
        and who in (None, history.rep, history.team)
        and quarter in (None, history.quarter)
    ]
    headers = ["who", "quarter", "since", "amount", "currency"]
    _show(as_json, when, {"quotas": shown}, headers, shown)


def member(
    *,
    rep: Annotated[str | None, typer.Argument(help="The person's id.")] = None,
    team: Annotated[str | None, typer.Option(help="The team they join.")] = None,
    manager: Annotated[str | None, typer.Option(help="Whom they report to.")] = None,
    role: Annotated[str, typer.Option(help="rep, manager, process_owner, auditor, admin.")] = "rep",
    left: Annotated[bool, typer.Option(help="They leave their team.")] = False,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Let somebody join or leave a team, or show who is in which."""
    if rep is not None and left:
        tell("organisation", "member_left", {"rep": rep})
    elif rep is not None and team is not None:
        data = {"rep": rep, "team": team, "role": role}
        tell("organisation", "member_joined", data | ({"manager": manager} if manager else {}))
    known, when = _known(as_of, effective_at)
    shown = [
        {
            "rep": one.rep,
            "team": one.team,
            "manager": one.manager,
            "role": one.role,
            "joined": one.joined,
            "left": one.left,
        }
        for one in known.true_at(when.cut).memberships
        if rep in (None, one.rep)
    ]
    headers = ["rep", "team", "manager", "role", "joined", "left"]
    _show(as_json, when, {"members": shown}, headers, shown)


def _show_what_if(
    file: Path, quarter: str | None, as_of: str | None, effective_at: str | None, *, as_json: bool
) -> None:
    if quarter is None:
        message = "name the quarter whose verdicts to give under the file"
        raise typer.BadParameter(message, param_hint="--quarter")
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    # Refuses what could not be published either.
    _payload("policy_published", data)
    other = policy_from(data["version"], data["numbers"])
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        known = ledger.context.known(when.position)
        answer: dict[str, Any] = ledger.what_ifs.quarter(when, quarter, known, None, other)
    if as_json:
        print_json(answer)
    else:
        print_changes(answer["what_if"])


def _set_quota(who: str, quarter: str, amount: dict[str, str], *, team: bool) -> None:
    known, _ = _known(None, None)
    key = (None, who, quarter) if team else (who, None, quarter)
    stream = quota_stream(who=who, quarter=quarter)
    if key in known.quotas:
        tell(stream, "quota_revised", {"amount": amount})
    else:
        named = {"team": who} if team else {"rep": who}
        tell(stream, "quota_assigned", {**named, "quarter": quarter, "amount": amount})


def tell(stream_id: str, type_name: str, data: Any) -> None:
    """Record one event of the context, and bring the views up to date."""
    command = Command(
        caller=Caller(identity=OPERATOR),
        intents=(Intent(data=_payload(type_name, data)),),
        idempotency_key=str(uuid4()),
        body_hash="",
    )
    with open_ledger(Settings.read()) as ledger:
        ledger.store.start()
        asyncio.run(ledger.application.append_to_context(stream_id, command))
        catch_up(ledger)


def _payload(type_name: str, data: Any) -> DomainEvent:
    if not isinstance(data, dict):
        message = f"{type_name}: expected fields and their values"
        raise MalformedRequestError(message)
    try:
        return parse(TYPES_BY_NAME[type_name], data)
    except ValidationError as error:
        raise MalformedRequestError(f"{type_name}: {reasons(error)}") from error


def _known(as_of: str | None, effective_at: str | None) -> tuple[Known, Moment]:
    with open_ledger(Settings.read()) as ledger:
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        return ledger.context.known(when.position), when


def _show(
    as_json: bool,
    when: Moment,
    answer: dict[str, Any],
    headers: list[str],
    rows: list[dict[str, Any]],
) -> None:
    if as_json:
        print_json({**when.answer(), **answer})
    else:
        print_table([h.replace("_", " ") for h in headers], [[r[h] for h in headers] for r in rows])
