"""The verdicts of many acts at once, as of any position, from the stored facts."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from psycopg import sql

from domain.causes import CauseKind
from domain.replay import view
from projections.pressure.acts import Act, ActKind
from projections.pressure.context import ACTS, KnownContext
from projections.pressure.derive import derive_acts
from projections.pressure.fold import Judged, Judgement, Verdict
from projections.pressure.rules import consults_dwell

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ActVerdict:
    """A seller event with its verdict and its cause; the explanation is the deal's own fold."""

    deal_id: UUID
    event_id: UUID
    rep: str
    occurred_at: datetime
    action_time: datetime
    quarter: str | None
    kind: ActKind
    cause: CauseKind
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Counts:
    """How many acts are pressure-shaped, and consistent, of how many that could be judged."""

    shaped: int
    consistent: int
    evaluable: int


def verdicts(
    context: KnownContext,
    *,
    where: str = "true",
    params: Sequence[object] = (),
) -> list[ActVerdict]:
    """Give the verdicts of the acts that `where` names, in the order they occurred.

    `where` is SQL of the calling module about columns that no later event changes: deal_id,
    event_id, kind, rep, segment, occurred_at, action_time, quarter.
    """
    return [_row(judgement) for judgement in judgements(context, where=where, params=params)]


def judgements(
    context: KnownContext,
    *,
    where: str = "true",
    params: Sequence[object] = (),
    verdicts: bool = True,
    rules: bool = False,
) -> list[Judgement]:
    """Give the judgements of the acts that `where` names, as for `verdicts`.

    What is not said to be asked of them, `verdicts` or `rules`, is not made ready at once.
    """
    acts = read_acts(context, where, params)
    return _judged(context, acts, verdicts=verdicts, rules=rules)


def read_acts(
    context: KnownContext, where: str, params: Sequence[object]
) -> list[tuple[UUID, Act]]:
    """Read the acts that `where` names, as for `verdicts`, each as it is seen at the cut."""
    cut = context.reading.cut
    condition, values = _seen(where, params, cut)
    acts = ACTS.known(context.connection, as_of=context.as_of, where=condition, params=values)
    if cut is None:
        return acts
    later = {d for d, act in acts if act.unsettled_until and act.unsettled_until > cut}
    anew: dict[UUID, Act] = {}
    for stream in context.reading.streams(sorted(later), context.as_of).values():
        seen = derive_acts(view(stream, effective_at=cut), context.known)
        anew |= {act.event_id: act for act in seen}
    return [(deal_id, anew.get(act.event_id, act)) for deal_id, act in acts]


def verdicts_of(context: KnownContext, acts: Sequence[tuple[UUID, Act]]) -> list[ActVerdict]:
    """Give the verdicts of acts that were derived elsewhere, each with its deal."""
    return [_row(judgement) for judgement in _judged(context, acts)]


def told(deal_id: UUID, judged: Iterable[Judged]) -> list[ActVerdict]:
    """Give the verdicts of a deal that was judged by itself."""
    return [
        ActVerdict(
            deal_id,
            one.event.event_id,
            one.event.rep,
            one.event.occurred_at,
            one.action_time,
            one.quarter.name if one.quarter else None,
            one.kind,
            one.cause.kind,
            one.verdict,
        )
        for one in judged
    ]


def counts_by_deal(context: KnownContext, deal_ids: Iterable[UUID]) -> dict[UUID, Counts]:
    """Count the verdicts of each of these deals."""
    wanted = list(deal_ids)
    found = _counted(
        context,
        "deal_id",
        lambda judgement: judgement.deal_id,
        where="deal_id = ANY(%s)",
        params=(wanted,),
    )
    return {deal_id: found.get(deal_id, _NONE) for deal_id in wanted}


def counts_by_rep(context: KnownContext, quarter: str) -> dict[str, Counts]:
    """Count the verdicts of each rep with an act in a quarter, in the order of their ids."""
    found = _counted(
        context,
        "rep",
        lambda judgement: judgement.act.rep,
        where="quarter = %s",
        params=(quarter,),
    )
    return dict(sorted(found.items()))


_NONE: Final = Counts(0, 0, 0)
_STANDS: Final = "from_position <= %s AND (until_position IS NULL OR until_position > %s)"


def _counted(
    context: KnownContext,
    column: str,
    key: Callable[[Judgement], Key],
    *,
    where: str,
    params: Sequence[object],
) -> dict[Key, Counts]:
    """Count verdicts by a key, which is a column; the acts outside the window in the database."""
    condition, values = _seen(where, params, context.reading.cut)
    rows = context.connection.execute(
        sql.SQL("SELECT {}, count(*) FROM acts WHERE outside AND {} AND {} GROUP BY 1").format(
            sql.Identifier(column), _sql(_STANDS), _sql(condition)
        ),
        (context.as_of, context.as_of, *values),
    )
    outside: dict[Key, int] = dict(rows.fetchall())
    judged: dict[Key, Counter[Verdict]] = defaultdict(Counter)
    acts = read_acts(context, f"({where}) AND outside IS NOT TRUE", params)
    for judgement in _judged(context, acts):
        judged[key(judgement)][judgement.verdict] += 1
    return {one: Counts(0, 0, n) for one, n in outside.items()} | {
        one: Counts(
            shaped=of["pressure_shaped"],
            consistent=of["pressure_consistent"],
            evaluable=outside.get(one, 0) + of.total() - of["not_evaluable"],
        )
        for one, of in judged.items()
    }


def _judged(
    context: KnownContext,
    acts: Sequence[tuple[UUID, Act]],
    *,
    verdicts: bool = True,
    rules: bool = False,
) -> list[Judgement]:
    """Judge acts in the order they occurred, and read what they are held against once for all."""
    ordered = sorted(acts, key=lambda pair: (pair[1].occurred_at, pair[1].event_id))
    judged = [Judgement(deal_id, act, context) for deal_id, act in ordered]
    context.read_bookings(
        {
            (j.act.rep, j.quarter.name)
            for j in judged
            if (verdicts or consults_dwell(j.act)) and j.window and j.quarter and j.quota[0]
        }
    )
    context.comparables.read(
        {j.act.rep for j in judged if j.act.depth is not None and (rules or not j.settled)}
    )
    context.read_stays(
        {
            (j.act.process or "", j.act.left_stage or "")
            for j in judged
            if consults_dwell(j.act) and not j.settled
        }
    )
    return judged


def _seen(
    where: str, params: Sequence[object], cut: datetime | None
) -> tuple[str, tuple[object, ...]]:
    if cut is None:
        return f"({where})", tuple(params)
    return f"({where}) AND occurred_at <= %s", (*params, cut)


def _row(judgement: Judgement) -> ActVerdict:
    act = judgement.act
    return ActVerdict(
        judgement.deal_id,
        act.event_id,
        act.rep,
        act.occurred_at,
        act.action_time,
        act.quarter,
        act.kind,
        act.cause,
        judgement.verdict,
    )


def _sql(text: str) -> sql.SQL:
    # Only texts of this projection and of the modules that ask it come here.
    return sql.SQL(text)
