"""The explanation of a verdict in one or two sentences that a sales manager would accept."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from domain.events.life import CloseDateMoved
from domain.events.money import DiscountOffered
from domain.events.progress import StageEntered
from domain.policy import Policy
from projections.pressure.around import Explained
from projections.pressure.fold import Judged
from projections.wording import Person, Wording

_CAUSES: Final = {
    "customer_linked": "a customer event is named as its cause",
    "customer_preceded": "the customer moved first",
}


def sentence(explained: Explained, policy: Policy) -> str:
    """Say what happened, which facts hold, and what follows; never that pressure caused it.

    Colleagues in it are pieces of the `Wording` that it is.
    """
    judged = explained.judged
    match judged.verdict:
        case "pressure_shaped":
            facts = [_where(judged, policy), _cause(explained, policy), _abnormal(judged)]
            end = "This is consistent with quota pressure"
        case "pressure_consistent":
            facts = [_where(judged, policy), _abnormal(judged), _cause(explained, policy)]
            end = "The timing is consistent with quota pressure, and so is a customer's own wish"
            if judged.cause.kind == "seller_only":
                facts.append(_recorded(judged, policy))
                end += " that nobody recorded"
        case "not_pressure_shaped":
            facts = [_why_not(judged, policy)]
            end = "This does not read as quota pressure"
        case _:
            facts = [_why_unknown(judged)]
            end = "So nothing can be said about quota pressure"
    what, found = f"{_what(judged)}{_who(explained)}: ", Wording.joined("; ", facts)
    return Wording(what, found, f". {end}.", _above(explained))


def _what(judged: Judged) -> str:
    match judged.event.data:
        case DiscountOffered(percent=percent):
            return f"A discount of {_number(percent)}% was offered"
        case CloseDateMoved(to=to):
            return f"The close date was moved to {to}"
        case StageEntered(stage=stage):
            return f"Stage {stage} was entered"
        case _:
            return "The event was recorded"


_ASKED: Final = {
    "rep": ", asked for by the rep",
    "manager": ", asked for by a manager",
    "customer": ", asked for by the customer",
    "policy": ", as the price policy asks",
}


def _who(explained: Explained) -> str:
    """Say where the event came from, where it says so or somebody else than a rep did it."""
    origin = explained.origin
    if origin is None:
        return ""
    if origin.by == "requested_by":
        return _ASKED[origin.who]
    return "" if origin.who == "rep" else f", by a {origin.who.replace('_', ' ')}"


def _above(explained: Explained) -> str:
    """Say how the manager's team stood, beside a verdict and apart from it."""
    above = explained.managed
    if above is None or above.standing.pressure is None:
        return ""
    if explained.judged.verdict not in ("pressure_shaped", "pressure_consistent"):
        return ""
    pressed = f"{float(above.standing.pressure):.2f}"
    then = f", stood at a pressure of {pressed} then."
    return Wording(" The team of their manager, ", Person(above.manager), then)


def _where(judged: Judged, policy: Policy) -> str:
    return Wording(_left(judged), ", ", _behind(judged, policy))


def _left(judged: Judged) -> str:
    if judged.quarter is None:
        return "outside every fiscal quarter"
    days = "on the last day" if judged.days_left == 0 else _days(judged.days_left or 0)
    return f"{days} of {judged.quarter.name}"


def _days(count: int) -> str:
    return f"with {count} day{'' if count == 1 else 's'} left"


def _behind(judged: Judged, policy: Policy) -> str:
    now = judged.standing
    rep, share = Person(judged.event.rep), ""
    if now is None:
        return Wording(rep, " with no known quota")
    if now.quota is not None and now.quota.amount > 0:
        share = f" at {_percent(Fraction(now.attained) / Fraction(now.quota.amount))} of quota"
    pressed = "unknown" if now.pressure is None else f"{float(now.pressure):.2f}"
    if judged.pace and judged.pace.events:
        share += ", in a team for part of the quarter"
    return Wording(rep, f"{share} (pressure {pressed}, threshold {policy.theta})")


def _cause(explained: Explained, policy: Policy) -> str:
    judged = explained.judged
    if judged.cause.kind == "seller_only":
        usual = explained.base_rate
        nor = f", nor for {usual.without} of {usual.of} comparable events" if usual.of else ""
        days = policy.lookback_days
        return f"no customer action was recorded in the {days} days before that explains it{nor}"
    words = _CAUSES[judged.cause.kind]
    if "explained_late" in judged.cause.modifiers:
        words += f", recorded more than {policy.late_explanation_hours} hours later"
    if "customer_asserted" in judged.cause.modifiers:
        words += ", by the seller's word only"
    return words


def _recorded(judged: Judged, policy: Policy) -> str:
    share = judged.coverage.share() if judged.coverage else None
    often = "at an unknown share" if share is None else f"at {_percent(share)}"
    gate = _percent(Fraction(policy.coverage_gate or 0))
    return f"the team records customer actions {often} of comparable events, {gate} are asked for"


def _abnormal(judged: Judged) -> str:
    return "; ".join(finding.words for finding in judged.findings if finding.holds)


def _why_not(judged: Judged, policy: Policy) -> str:
    if judged.window is False:
        return f"{_left(judged)}, before the last {policy.window_days} days"
    if judged.behind is False:
        return Wording(_where(judged, policy), ": not behind pace")
    return f"{_left(judged)}, and no rule finds it out of the ordinary"


def _why_unknown(judged: Judged) -> str:
    missing = []
    if judged.quarter is None:
        missing.append("no fiscal quarter contains it")
    elif judged.behind is None:
        quota = judged.standing is None or judged.standing.quota is None
        missing.append(
            Wording(Person(judged.event.rep), f" has no known quota in {judged.quarter.name}")
            if quota
            else "a booking has no plan rate into the quota's currency"
        )
    if judged.abnormal is None:
        missing.append("too little is known to say what is ordinary")
    return Wording.joined("; ", missing)


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.0f}%"
