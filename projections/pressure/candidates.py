"""Which acts can have a verdict or break a rule at all, as far as their rows say by themselves."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from psycopg import sql

from domain.policy import Policy

_RULES: Final[Mapping[str, sql.SQL]] = {
    "PS-1": sql.SQL("a.depth > coalesce(a.previous, 0)"),
    "PS-2": sql.SQL("a.depth - a.previous >= {excess}"),
    "PS-3": sql.SQL("a.expires_on IS NOT NULL"),
    "PS-4": sql.SQL("a.close_to < a.close_from"),
    "PS-5": sql.SQL("a.missing > 0 AND a.left_stage IS NOT NULL"),
}
"""What each rule needs to hold, of all that it asks."""
_CAUSES: Final[Mapping[str, sql.SQL]] = {
    "pressure_shaped": sql.SQL("a.cause = 'seller_only'"),
    "pressure_consistent": sql.SQL("a.cause <> 'seller_only'"),
}
"""What tells the two verdicts apart where everything else holds."""


def may_hold(rules: Collection[str], policy: Policy, cut: datetime | None) -> sql.Composed:
    """Give where one of some rules may hold for an act `a`, as true by a cut."""
    return _as_seen(_one_of(rules, policy), cut)


def may_be(verdicts: Collection[str], policy: Policy, cut: datetime | None) -> sql.Composed:
    """Give where the verdict on an act `a` may be one of some, as true by a cut."""
    made: list[sql.Composable] = []
    if "not_pressure_shaped" in verdicts:
        made.append(sql.SQL("true"))
    if "not_evaluable" in verdicts:
        made.append(sql.SQL("a.outside IS NOT TRUE"))
    if causes := [cause for verdict, cause in _CAUSES.items() if verdict in verdicts]:
        # Below the gate of a policy what nobody asked for is called consistent too.
        caused = sql.SQL(" OR ").join(causes) if policy.coverage_gate is None else sql.SQL("true")
        abnormal = sql.SQL("(NOT a.outside AND ({}) AND ({}))")
        made.append(abnormal.format(caused, _one_of(_RULES, policy)))
    return _as_seen(sql.SQL(" OR ").join(made), cut)


def _one_of(rules: Collection[str], policy: Policy) -> sql.Composed:
    excess = sql.Literal(policy.minimum_excess)
    return sql.SQL(" OR ").join(
        sql.SQL("({})").format(_RULES[rule].format(excess=excess)) for rule in sorted(rules)
    )


def _as_seen(condition: sql.Composed, cut: datetime | None) -> sql.Composed:
    """Add the acts of which what occurred after a cut says otherwise than they are seen by then."""
    if cut is None:
        return condition
    return sql.SQL("({}) OR a.unsettled_until > {}").format(condition, sql.Literal(cut))
