"""Verdicts on quota pressure and rules that hold, as they are kept: as a condition on events."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Final, Literal, TypeAlias

from psycopg import sql

from api.identity.reach import ACT_TOPICS
from api.kept_verdicts import Kept
from api.query.ground import Finding
from api.query.writing import Writing
from domain.events.life import CloseDateMoved
from domain.events.money import DiscountOffered
from domain.events.progress import StageEntered
from projections.facts import Rows

Field: TypeAlias = Literal["verdict", "rule"]
_STANDS: Final = sql.SQL(
    "v.deal_id <> ALL(%(kept_not_of)s::uuid[]) AND v.event_id <> ALL(%(kept_without)s::uuid[])"
)
_NAMED: Final[Mapping[Field, sql.SQL]] = {
    "verdict": sql.SQL("v.verdict = ANY({}::text[])"),
    "rule": sql.SQL("v.rules && {}::text[]"),
}
_GIVEN: Final[Mapping[Field, sql.SQL]] = {
    "verdict": sql.SQL("true"),
    "rule": sql.SQL("cardinality(v.rules) > 0"),
}
_OF_EVENT: Final = sql.SQL(
    "coalesce((SELECT {} FROM audit_verdicts v WHERE v.event_position = position AND {}), false)"
)
_FEW: Final = 2_000
_POSITIONS: Final = sql.SQL(
    "SELECT v.event_position FROM audit_verdicts v WHERE {} AND {} LIMIT {}"
)


_OF_RULES: Final[Mapping[str, str]] = {
    "PS-1": DiscountOffered.TOPIC,
    "PS-2": DiscountOffered.TOPIC,
    "PS-3": DiscountOffered.TOPIC,
    "PS-4": CloseDateMoved.TOPIC,
    "PS-5": StageEntered.TOPIC,
}


def topics_of(field: Field, names: Collection[str]) -> Sequence[str]:
    """Give what some verdicts can be of, or what some rules can hold for."""
    return ACT_TOPICS if field == "verdict" else sorted({_OF_RULES[name] for name in names})


class KeptActs:
    """The acts of which what is kept stands, and what was found of those that were judged again."""

    def __init__(self, connection: Rows, kept: Kept, judged: Mapping[int, Finding]) -> None:
        """Take what of it stands, and what was found by the position of each event judged again."""
        self._connection = connection
        self._judged = judged
        self._parameters = {"kept_not_of": sorted(kept.deals), "kept_without": sorted(kept.acts)}
        self._few = cache(self._positions)

    def named(self, writing: Writing, field: Field, names: frozenset[str]) -> sql.Composed:
        """Give where the verdict is one of some, or one of some rules holds.

        Few of them lie anywhere in the log, and are named by their positions.
        """
        judged = [
            position
            for position, one in self._judged.items()
            if (one.verdict in names if field == "verdict" else one.rules & names)
        ]
        few = self._few(field, names)
        if few is not None:
            return _at(writing, [*few, *judged])
        says = _NAMED[field].format(writing.value(sorted(names)))
        kept = self._of_act(writing, says, topics_of(field, names))
        return sql.SQL("({} OR {})").format(kept, _at(writing, judged))

    def given(self, writing: Writing, field: Field) -> sql.Composed:
        """Give where there is a verdict, or any rule holds."""
        judged = [at for at, one in self._judged.items() if field == "verdict" or one.rules]
        kept = self._of_act(writing, _GIVEN[field], ACT_TOPICS)
        return sql.SQL("({} OR {})").format(kept, _at(writing, judged))

    def _of_act(
        self, writing: Writing, says: sql.Composable, topics: Sequence[str]
    ) -> sql.Composed:
        writing.parameters |= self._parameters
        of_type = writing.equal(writing.columns["type"], topics)
        return sql.SQL("({} AND {})").format(of_type, _OF_EVENT.format(says, _STANDS))

    def _positions(self, field: Field, names: frozenset[str]) -> list[int] | None:
        """Give the positions of all events that some names hold for; None where they are many."""
        asked = _NAMED[field].format(sql.Placeholder("names"))
        rows = self._connection.execute(
            _POSITIONS.format(asked, _STANDS, sql.Literal(_FEW + 1)),
            {**self._parameters, "names": sorted(names)},
            prepare=False,
        ).fetchall()
        return None if len(rows) > _FEW else [position for (position,) in rows]


def _at(writing: Writing, positions: Sequence[int]) -> sql.Composed:
    return sql.SQL("position = ANY({}::bigint[])").format(writing.value(sorted(positions)))
