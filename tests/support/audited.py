"""What auditors are told by SQL beside what the API answers, in one shape."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from api.answers import event_json
from api.bootstrap import Ledger
from api.deal_seen import DealSeen
from api.lists import DealFilters
from api.moment import Moment
from api.storage.connections import audit_conninfo
from api.storage.roles import Role
from domain.path import moves
from domain.replay import corrections
from projections.attainment.fold import credits_of
from projections.progress.claims import derive_claims
from projections.progress.fold import fold as follow
from tests.support.ledgers import SCHEMA
from tests.support.roles import address

Row: TypeAlias = Mapping[str, Any]
Session: TypeAlias = psycopg.Connection[dict[str, Any]]


@contextmanager
def auditor(database: str) -> Iterator[Session]:
    """A session of the auditor, as `dealtrail sql` opens it."""
    target = audit_conninfo(address(database, Role.AUDITOR), schema=SCHEMA)
    with psycopg.connect(target, row_factory=dict_row, autocommit=True) as session:
        yield session


def head_of(ledger: Ledger, at: datetime) -> Moment:
    """All that is known, at an instant."""
    head = ledger.store.head()
    return Moment(head.position, head.recorded_at, at, None)


def assert_told_alike(session: Session, ledger: Ledger, moment: Moment, *, every: int = 1) -> None:
    """Hold every view that tells of deals against the API's answers and the folds behind them.

    `every` second deal, third, and so on is asked about.
    """
    told = _Answers(ledger, moment, every=every)
    for view, answer in told.views.items():
        expected = [_plain(row) for seen in told.deals for row in answer(seen)]
        columns = list(expected[0]) if expected else ["deal_id"]
        found = session.execute(
            sql.SQL("SELECT {} FROM {} WHERE deal_id = ANY(%s)").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(view)
            ),
            ([seen.deal_id for seen in told.deals],),
        ).fetchall()
        assert _sorted(map(_plain, found)) == _sorted(expected), view


class _Answers:
    """The rows of each view, of one deal at a time."""

    def __init__(self, ledger: Ledger, moment: Moment, *, every: int) -> None:
        self.questions = ledger.questions
        self.known = ledger.context.known(moment.position)
        rows = ledger.store.rows(
            "SELECT DISTINCT substr(stream_id, 6)::uuid FROM events"
            " WHERE starts_with(stream_id, 'deal:') ORDER BY 1",
            {},
        )
        self.deals = [ledger.questions.seen(deal_id, moment) for (deal_id,) in rows[::every]]
        self.views: dict[str, Callable[[DealSeen], Iterable[Row]]] = {
            "progress": self._progress,
            "stage_advances": self._advances,
            "stage_visits": self._visits,
            "close_date_moves": self._moves,
            "commitments": self._commitments,
            "pressure_verdicts": self._verdicts,
            "discounts": self._discounts,
            "bookings": self._bookings,
            "ticks": self._ticks,
            "corrections": self._corrections,
        }

    def _progress(self, seen: DealSeen) -> Iterator[Row]:
        answer: Any = self.questions.progress(seen)["activities"]
        for one in answer:
            names = ("stage", "activity", "status", "ticked_at", "tick_event_id", "settles_at")
            yield {"deal_id": seen.deal_id, **_of(one, names), "outcomes": one["outcomes"]}

    def _advances(self, seen: DealSeen) -> Iterator[Row]:
        path = {move.event.event_id: move for move in moves(seen.events, seen.processes)}
        for one in follow(seen.events, seen.processes, self.known.policy).advances:
            yield {
                "event_id": one.event_id,
                "rep": path[one.event_id].event.rep,
                "from_stage": path[one.event_id].source,
                "to_stage": path[one.event_id].target,
                "steps": one.steps,
                "required": one.required,
                "evidenced": one.evidenced,
                "customer_led": one.customer_led,
            }

    def _visits(self, seen: DealSeen) -> Iterator[Row]:
        answer: Any = self.questions.movement(seen)["visits"]
        names = ("event_id", "process", "stage", "episode", "number", "entered_at", "left_at")
        for one in answer:
            yield {"deal_id": seen.deal_id, **_of(one, (*names, "ended_by", "ended_how"))}

    def _moves(self, seen: DealSeen) -> Iterator[Row]:
        answer: Any = self.questions.movement(seen)["close_date"]
        for one in answer["moves"]:
            yield {
                **_of(one, ("deal_id", "event_id", "days", "direction", "cause")),
                "moved_at": one["at"],
                "rep": one["by"],
                "from_date": one["from"],
                "to_date": one["to"],
                "quarters": one["quarters_crossed"],
            }

    def _commitments(self, seen: DealSeen) -> Iterator[Row]:
        answer: Any = self.questions.commitments(seen)
        names = ("event_id", "what", "status", "made_at", "due", "overdue_at", "settled_at")
        for side, key, id_name in (
            ("customer", "commitments", "commitment_id"),
            ("seller", "promises", "promise_id"),
        ):
            for one in answer[key]:
                yield {
                    "deal_id": seen.deal_id,
                    "side": side,
                    "commitment_id": one[id_name],
                    **_of(one, (*names, "kept_late", "event_ids")),
                    **{name: one.get(name) for name in ("kind", "level", "by", "role")},
                }

    def _verdicts(self, seen: DealSeen) -> Iterator[Row]:
        answer: Any = self.questions.pressure(seen)
        names = ("event_id", "type", "rep", "action_time", "quarter", "days_left", "pressure")
        more = ("shortfall", "pivotality", "cause", "explained_by", "modifiers", "verdict", "rules")
        for one in answer["events"]:
            facts = {fact["fact"]: fact for fact in one["facts"]}
            yield {
                "deal_id": seen.deal_id,
                **_of(one, (*names, *more)),
                "quota": _amount(one["quota"]),
                "attained": _amount(one["attained"]),
                "in_window": facts["window"]["holds"],
                "behind": facts["behind"]["holds"],
                "abnormal": facts["abnormal"]["holds"],
                "findings": facts["abnormal"]["value"],
                "policy_version": answer["policy_version"],
            }

    def _discounts(self, seen: DealSeen) -> Iterator[Row]:
        answer: Any = self.questions.history(seen)["events"]
        for one in answer:
            if one["type"] != "discount_offered" or one["retracted"]:
                continue
            reads = (one["amended"] or one)["data"]
            verdict = one["pressure"]
            yield {
                "deal_id": seen.deal_id,
                **_of(one, ("event_id", "rep", "occurred_at", "recorded_at")),
                "percent": Decimal(reads["percent"]),
                "list_amount": _amount(reads.get("list")),
                **{n: reads.get(n) for n in ("reason", "condition", "expires_on", "requested_by")},
                **_of(verdict, ("quarter", "days_left", "pressure", "cause", "verdict", "rules")),
                "corrected_by": one["amended"]["event_id"] if one["amended"] else None,
            }

    def _bookings(self, seen: DealSeen) -> Iterator[Row]:
        for one in credits_of(seen.events, self.known.calendar):
            names = ("event_id", "rep", "kind", "quarter", "occurred_at", "amount", "currency")
            yield {"deal_id": seen.deal_id, **{name: getattr(one, name) for name in names}}

    def _ticks(self, seen: DealSeen) -> Iterator[Row]:
        for one in derive_claims(seen.events, self.known):
            names = ("event_id", "rep", "activity", "recorded_at", "expressible", "shown_at")
            if one.until_at is None:
                yield {"deal_id": seen.deal_id, **{name: getattr(one, name) for name in names}}

    def _corrections(self, seen: DealSeen) -> Iterator[Row]:
        """Which corrections the timeline names as those in force."""
        answer: Any = self.questions.history(seen)["events"]
        named = {
            (how, entry[how]["event_id"]): entry
            for entry in answer
            for how in ("amended", "retracted")
            if entry[how]
        }
        gone, _ = corrections(seen.stream)
        for one in answer:
            if one["type"] not in {"event_amended", "event_retracted"}:
                continue
            how = one["type"].removeprefix("event_")
            entry = named.get((how, one["event_id"]))
            yield {
                "event_id": one["event_id"],
                "corrected_event_id": one["data"]["event_id"],
                "how": how,
                "reason": one["data"]["reason"],
                "rep": one["rep"],
                "in_force": UUID(one["event_id"]) not in gone
                if how == "retracted"
                else entry is not None and not entry["retracted"],
            }


def assert_events_told_alike(
    session: Session, ledger: Ledger, moment: Moment, *, every: int = 1
) -> None:
    """Hold the view of the log against the events of the API and the timelines of the deals."""
    seen = {event.event_id: event for event in ledger.store.events_at(1, moment.position)}
    calendar = ledger.context.known(moment.position).calendar
    timeline = {
        entry.event_id: entry
        for one in _Answers(ledger, moment, every=every).deals
        for entry in one.told.timeline()
    }
    rows = session.execute("SELECT * FROM events ORDER BY position").fetchall()
    assert [row["event_id"] for row in rows] == list(seen)
    for row in rows:
        event = seen[row["event_id"]]
        told = event_json(event)
        source = told.pop("source")
        assert _plain({name: row[name] for name in told}) == _plain(told)
        assert row["source_system"] == (source["system"] if isinstance(source, dict) else None)
        quarter = calendar.quarter_at(event.occurred_at)
        assert row["quarter"] == (quarter.name if quarter else None)
        entry = timeline.get(event.event_id)
        if entry is None:
            continue
        assert row["told_at"] == entry.told_at
        if entry.told_at is not None:
            assert (row["quarter"] != row["told_quarter"]) == entry.backdated
        correction = entry.retracted or entry.amended
        assert row["corrected_by"] == (correction.event_id if correction else None)
        assert row["corrected_how"] == next(
            (how for how in ("retracted", "amended") if getattr(entry, how)), None
        )


def assert_lists_alike(session: Session, ledger: Ledger, moment: Moment) -> None:
    """Hold the deals as of an instant against the API's list of them."""
    known = ledger.context.known(moment.position)
    listed: list[Any] = [
        row
        for deleted in (False, True)
        for row in ledger.lists.every(moment, known, DealFilters(deleted=deleted), sort="name")
    ]
    expected = [
        {
            **_of(row, ("deal_id", "name", "owner", "stage", "closed", "close_date", "discount")),
            **_of(row, ("opened_at", "closed_at", "deleted", "forecast_category", "external_id")),
            **_of(row, ("since_position",)),
            "account_id": row["account"]["id"],
            "segment": row["account"]["segment"],
            "process_version": row["process"]["version"] if row["process"] else None,
            "amount": _amount(row["amount"]),
        }
        for row in listed
    ]
    for one in expected:
        one["discount"] = None if one["discount"] is None else Decimal(one["discount"])
    found = session.execute(
        "SELECT * FROM deals_as_of(%s)", (moment.effective_at,), binary=False
    ).fetchall()
    assert _sorted(_plain({n: row[n] for n in expected[0]}) for row in found) == _sorted(
        map(_plain, expected)
    )


def _of(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _amount(money: Any) -> Decimal | None:
    return Decimal(money["amount"]) if money else None


def _sorted(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=repr)


def _plain(value: Any) -> Any:
    """Give a value so that both ways of telling it are equal."""
    match value:
        case Mapping():
            return {name: _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return format(Decimal(str(value)).normalize(), "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
