"""A query as a condition on the rows of the log, its values as parameters."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from api.identity.reach import ACT_TOPICS
from api.late import TOLD_IN_INDEX
from api.query import fiscal, values
from api.query.fields import PAYLOAD_PREFIX, PRESSURE_VERDICTS, payload_place
from api.query.ground import Findings, Ground
from api.query.kept_acts import Field, KeptActs, topics_of
from api.query.lateness import TOLD, TOLD_INDEXED, backdated, late
from api.query.payload_conditions import payload_condition
from api.query.ticks import STATUS
from api.query.tree import (
    AllOf,
    AnyOf,
    Between,
    Comparison,
    Given,
    Leaf,
    Not,
    Query,
    Term,
)
from api.query.writing import NOTHING, Writing
from domain.events.catalogue import TYPES_BY_NAME
from projections.pressure.candidates import may_be, may_hold

_IN_CONTEXTS: Final = frozenset({"owner", "stage", "amount", "currency"})
"""What an event stands in: nothing if it is of no deal, or of one that is parked."""
JUDGED_FIELDS: Final = frozenset({"verdict", "rule"})
VIEWED_FIELDS: Final = JUDGED_FIELDS | {
    "account", "amount", "currency", "owner", "owner_now", "stage"
}  # fmt: skip
"""What is told by projections and not by the log alone."""

_EVERYTHING: Final = sql.SQL("true")
_COLUMNS: Final[Mapping[str, sql.SQL]] = {
    "actor": sql.SQL("actor"),
    "amount": sql.SQL("amount"),
    "channel": sql.SQL("channel"),
    "clock": sql.SQL("clock"),
    "currency": sql.SQL("currency"),
    "occurred": sql.SQL("occurred_at"),
    "on_behalf_of": sql.SQL("on_behalf_of"),
    "owner": sql.SQL("owner"),
    "position": sql.SQL("position"),
    "recorded": sql.SQL("recorded_at"),
    "rep": sql.SQL("coalesce(on_behalf_of, actor)"),
    "source": sql.SQL("source_system"),
    "stage": sql.SQL("stage"),
    "type": sql.SQL("topic"),
    TOLD: sql.SQL(
        "(CASE WHEN channel = 'import' AND clock = 'server' THEN source_recorded_at"
        " ELSE recorded_at END)"
    ),
    TOLD_INDEXED: TOLD_IN_INDEX,
}
"""The fields that a row says by itself."""
_COLUMNS_OF_CONTEXTS: Final[Mapping[str, sql.SQL]] = {
    **_COLUMNS,
    "actor": sql.SQL("told_actor"),
    "occurred": sql.SQL("told_of"),
    "rep": sql.SQL("told_rep"),
    "type": sql.SQL("told_topic"),
    TOLD: sql.SQL("told_at"),
    TOLD_INDEXED: sql.SQL("told_at"),
}
"""The same, as far as a row says them beside what an event stands in."""
_OF_DEALS: Final = sql.SQL(
    "{} IN (SELECT {} FROM spans s WHERE {} AND s.from_position <= %(upto)s{})"
)
_EVER: Final = sql.SQL("")
_STILL: Final = sql.SQL(" AND (s.until_position IS NULL OR s.until_position > %(upto)s)")
_ACTS: Final = sql.SQL(
    "event_id IN (SELECT a.event_id FROM acts a WHERE ({}) AND a.from_position <= %(upto)s"
    " AND (a.until_position IS NULL OR a.until_position > %(upto)s))"
)


class Conditions(Writing):
    """Makes conditions of one question, and gathers their parameters.

    Without `findings` the condition of a verdict or a rule is what it may hold for: the one made
    holds for every event that the query holds for, and for more. What is `kept` needs none.
    """

    def __init__(
        self,
        ground: Ground,
        query: Query,
        findings: Findings | None = None,
        kept: KeptActs | None = None,
    ) -> None:
        self.in_contexts = _asks_contexts(query)
        super().__init__(ground, _COLUMNS_OF_CONTEXTS if self.in_contexts else _COLUMNS)
        self._query = query
        self._findings = findings
        self._kept = kept
        self.parameters["upto"] = ground.moment.position

    @property
    def source(self) -> sql.SQL:
        """Where the condition holds: the one of two tables that finds it comes first."""
        if self.in_contexts:
            return sql.SQL("contexts LEFT JOIN events USING (position)")
        return sql.SQL("events LEFT JOIN contexts USING (position)")

    def whole(self) -> sql.Composable:
        """Give the condition of the whole query."""
        return self.of(self._query)

    def of(self, query: Query, *, wanted: bool = True) -> sql.Composable:
        """Give the condition of a query; not `wanted` under an odd number of negations."""
        match query:
            case Not(part):
                # What cannot be told is not so.
                inner = self.of(part, wanted=not wanted)
                return sql.SQL("({}) IS NOT TRUE").format(inner)
            case AllOf(parts):
                return self._joined(" AND ", parts, _EVERYTHING, wanted=wanted)
            case AnyOf(parts):
                return self._joined(" OR ", parts, NOTHING, wanted=wanted)
            case _:
                return self._leaf(query, wanted=wanted)

    def _joined(
        self, word: LiteralString, parts: Sequence[Query], none: sql.SQL, *, wanted: bool
    ) -> sql.Composable:
        made = [sql.SQL("({})").format(self.of(part, wanted=wanted)) for part in parts]
        return sql.SQL(word).join(made) if made else none

    def _leaf(self, leaf: Leaf, *, wanted: bool) -> sql.Composable:
        name = leaf.field.text
        if name.startswith(PAYLOAD_PREFIX):
            return payload_condition(self, leaf, payload_place(leaf.field))
        if isinstance(leaf, Given):
            return self._given(name, wanted=wanted)
        if isinstance(leaf, Between):
            return self.between(self.columns[name], leaf)
        made = _SPECIAL.get(name)
        if made is not None:
            return made(self, leaf)
        if name in JUDGED_FIELDS:
            return self._judged(leaf, wanted=wanted)
        return self.equal(self.columns[name], [word.text for word in leaf.values])

    def _given(self, name: str, *, wanted: bool) -> sql.Composable:
        """Give where a field says anything."""
        if name in JUDGED_FIELDS:
            return self._given_of_acts(name, wanted=wanted)
        if name in {"late", "backdated"}:
            return sql.SQL("{} IS NOT NULL").format(self.columns[TOLD])
        if name in {"quarter", "days_left"}:
            return self.spans(
                self.columns["occurred"], fiscal.in_quarters(self.ground.stretches, lambda _: True)
            )
        if name in {"deal", "account", "owner_now"}:
            return sql.SQL("stream_id >= 'deal:' AND stream_id < 'deal;'")
        if name == "team":
            return self._members(None)
        return sql.SQL("{} IS NOT NULL").format(self.columns[name])

    def _given_of_acts(self, name: str, *, wanted: bool) -> sql.Composable:
        """Give where there is a verdict, or where any rule holds."""
        field: Field = "verdict" if name == "verdict" else "rule"
        judged: sql.Composable = self.equal(self.columns["type"], ACT_TOPICS)
        if self._kept is not None:
            judged = self._kept.given(self, field)
        elif self._findings is not None:
            told = [i for i, one in self._findings.items() if field == "verdict" or one.rules]
            judged = self._events(told)
        elif not wanted:
            judged = NOTHING
        if field == "rule":
            return judged
        return sql.SQL("({} OR ({}) IS NOT NULL)").format(judged, self._status())

    def of_type(self, leaf: Term) -> sql.Composable:
        topics = [TYPES_BY_NAME[word.text].TOPIC for word in leaf.values]
        return self.equal(self.columns["type"], topics)

    def position(self, leaf: Term) -> sql.Composable:
        wanted = [values.whole(word) for word in leaf.values]
        return self.compared(self.columns["position"], leaf.comparison, wanted)

    def amount(self, leaf: Term) -> sql.Composable:
        wanted = [values.number(word) for word in leaf.values]
        return self.compared(self.columns["amount"], leaf.comparison, wanted)

    def actor(self, leaf: Term) -> sql.Composable:
        names = [word.text for word in leaf.values]
        said = self.equal(self.columns["actor"], names)
        if self.in_contexts:
            return said
        # In the words of two indexes: by whom it is attributed to, and of what another recorded.
        return sql.SQL("(on_behalf_of IS NULL AND {}) OR (on_behalf_of IS NOT NULL AND {})").format(
            self.equal(self.columns["rep"], names), said
        )

    def on_behalf_of(self, leaf: Term) -> sql.Composable:
        names = [word.text for word in leaf.values]
        # To whom it is attributed has an index.
        said = [self.equal(self.columns[name], names) for name in ("on_behalf_of", "rep")]
        return sql.SQL(" AND ").join(said)

    def deal(self, leaf: Term) -> sql.Composable:
        names = [word.text for word in leaf.values]
        streams = self.value([f"deal:{_uuid_text(name)}" for name in names])
        return sql.SQL(
            "stream_id = ANY({}::text[] || ARRAY(SELECT DISTINCT o.stream_id FROM events o"
            " WHERE o.external_stream = ANY({}) AND o.position <= %(upto)s))"
        ).format(streams, self.value(names))

    def account(self, leaf: Term) -> sql.Composable:
        names = [word.text for word in leaf.values]
        return self._of_deals(self.equal(sql.SQL("s.account_id"), names))

    def owner_now(self, leaf: Term) -> sql.Composable:
        names = [word.text for word in leaf.values]
        return self._of_deals(self.equal(sql.SQL("s.owner"), names), _STILL)

    def _of_deals(self, spans: sql.Composable, still: sql.Composable = _EVER) -> sql.Composable:
        """Give where the deal of an event has some spans, each known at some time or still."""
        if self.in_contexts:
            return _OF_DEALS.format(sql.SQL("deal_id"), sql.SQL("s.deal_id"), spans, still)
        named = sql.SQL("'deal:' || s.deal_id")
        return _OF_DEALS.format(sql.SQL("stream_id"), named, spans, still)

    def stage(self, leaf: Term) -> sql.Composable:
        ids = {i for word in leaf.values for i in self.ground.stages(word.text)}
        return self.equal(self.columns["stage"], sorted(ids))

    def team(self, leaf: Term) -> sql.Composable:
        return self._members({word.text for word in leaf.values})

    def _members(self, teams: set[str] | None) -> sql.Composable:
        """Give where the rep was in one of some teams, or in any."""
        members = [
            one for one in self.ground.known.memberships if teams is None or one.team in teams
        ]
        if not members:
            return NOTHING
        times: dict[str, list[TimestamptzRange]] = {}
        for one in members:
            times.setdefault(one.rep, []).append(TimestamptzRange(one.joined, one.left))
        return sql.SQL(
            "{rep} = ANY({people}) AND ({times}::tstzmultirange[])"
            "[array_position({people}::text[], {rep})] @> {occurred}"
        ).format(
            rep=self.columns["rep"],
            occurred=self.columns["occurred"],
            people=self.value(list(times)),
            times=self.value([TimestamptzMultirange(own) for own in times.values()]),
        )

    def time(self, leaf: Term) -> sql.Composable:
        return self.at(self.columns[leaf.field.text], leaf)

    def quarter(self, leaf: Term) -> sql.Composable:
        for word in leaf.values:
            self.ground.ensure_quarter(word)
        wanted = [word.text for word in leaf.values]
        holds = _NAME_TESTS[leaf.comparison]
        return self.spans(
            self.columns["occurred"],
            fiscal.in_quarters(
                self.ground.stretches, lambda name: any(holds(name, one) for one in wanted)
            ),
        )

    def days_left(self, leaf: Term) -> sql.Composable:
        made = [
            self.spans(
                self.columns["occurred"],
                fiscal.with_days_left(self.ground.stretches, leaf.comparison, values.whole(word)),
            )
            for word in leaf.values
        ]
        return sql.SQL(" OR ").join(made)

    def _judged(self, leaf: Term, *, wanted: bool) -> sql.Composable:
        names = {word.text for word in leaf.values}
        of_pressure = names & set(PRESSURE_VERDICTS) if leaf.field.text == "verdict" else names
        of_progress = names - of_pressure
        made: list[sql.Composable] = []
        if of_pressure:
            field: Field = "verdict" if leaf.field.text == "verdict" else "rule"
            made.append(self._of_pressure(field, of_pressure, wanted=wanted))
        if of_progress:
            made.append(self._of_progress(of_progress))
        return sql.SQL(" OR ").join(made)

    def _of_progress(self, names: set[str]) -> sql.Composed:
        few = self.ground.ticks.few(frozenset(names))
        if few is None:
            return self.equal(sql.SQL("({})").format(self._status()), sorted(names))
        return sql.SQL("position = ANY({}::bigint[])").format(self.value(sorted(few)))

    def _status(self) -> sql.Composable:
        self.parameters |= self.ground.ticks.parameters
        return STATUS

    def _of_pressure(self, field: Field, names: set[str], *, wanted: bool) -> sql.Composable:
        if self._kept is not None:
            return self._kept.named(self, field, frozenset(names))
        if self._findings is not None:
            return self._events(
                event_id
                for event_id, one in self._findings.items()
                if (one.verdict in names if field == "verdict" else one.rules & names)
            )
        # Every event that may have one; under a negation, none that may not be without.
        if not wanted:
            return NOTHING
        policy, cut = self.ground.known.policy, self.ground.moment.cut
        acts = (may_hold if field == "rule" else may_be)(names, policy, cut)
        of_type = self.equal(self.columns["type"], topics_of(field, names))
        return sql.SQL("{} AND {}").format(of_type, _ACTS.format(acts))

    def _events(self, ids: Iterable[UUID]) -> sql.Composed:
        return sql.SQL("event_id = ANY({}::uuid[])").format(self.value(sorted(ids)))


def _asks_contexts(query: Query) -> bool:
    """Say whether a query holds only for events that stand in something."""
    parts = query.parts if isinstance(query, AllOf) else (query,)
    return any(isinstance(one, Leaf) and one.field.text in _IN_CONTEXTS for one in parts)


def _uuid_text(name: str) -> str:
    """Give an id as streams are named by it; what is no id names no stream."""
    try:
        return str(UUID(name))
    except ValueError:
        return name


_NAME_TESTS: Final[Mapping[Comparison, Callable[[str, str], bool]]] = {
    ":": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""How the names of quarters compare, which sort as the quarters do."""
_SPECIAL: Final[Mapping[str, Callable[[Conditions, Term], sql.Composable]]] = {
    "account": Conditions.account,
    "actor": Conditions.actor,
    "amount": Conditions.amount,
    "backdated": backdated,
    "days_left": Conditions.days_left,
    "deal": Conditions.deal,
    "late": late,
    "occurred": Conditions.time,
    "on_behalf_of": Conditions.on_behalf_of,
    "owner_now": Conditions.owner_now,
    "position": Conditions.position,
    "quarter": Conditions.quarter,
    "recorded": Conditions.time,
    "stage": Conditions.stage,
    "team": Conditions.team,
    "type": Conditions.of_type,
}
