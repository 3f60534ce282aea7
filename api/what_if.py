"""What another policy would say, one published before or a draft: nothing is recorded for it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, get_args

from api.deal_seen import DealSeen
from api.errors import UnknownThingError
from api.moment import Moment
from api.quarter_figures import QuarterFigures
from api.quarter_pressure import QuarterPressure
from api.questions import DealQuestions
from api.replays import ClockName
from api.restatement import beside
from domain.known import Known
from domain.policy import Policy, policy_from
from projections.pressure.fold import Verdict
from projections.pressure.verdicts import ActVerdict, told

Answer: TypeAlias = dict[str, object]
_VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)


def published(known: Known, version: int) -> Policy:
    """Give a version of the policy; 0 is the built-in one.

    Raises:
        UnknownThingError: it was never published.
    """
    policy = known.policy_of(version)
    if policy is None:
        message = f"no policy of version {version} was published"
        raise UnknownThingError(message, field="policy")
    return policy


def drafted(known: Known, numbers: Mapping[str, object]) -> Policy:
    """Give a policy of these numbers as it would be published next.

    Raises:
        PolicyRefusedError: it could not be published; the message names the number.
    """
    return policy_from(known.published_policy.version + 1, numbers)


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """Answers as they are, with what they would be had another policy been in force all along.

    Under `what_if` stands the whole other answer, with `verdict_changes`, every event whose verdict
    would be another, and `effect`, the counts of verdicts and the money of both. `difference` names
    every value, by its place, that would differ. The views must have reached the moment.
    """

    questions: DealQuestions
    figures: QuarterFigures
    pressure: QuarterPressure

    def deal(self, seen: DealSeen, policy: Policy) -> Answer:
        """Give the pressure of a deal, and what it would be; the money is that of the answer."""
        answers: list[Answer] = []
        verdicts: list[list[ActVerdict]] = []
        for one in (seen, self.questions.under(seen, policy)):
            explained, _ = self.questions.explained(one)
            answers.append(self.questions.pressure(one))
            verdicts.append(told(seen.deal_id, [each.judged for each in explained]))
        return _beside(policy, answers, verdicts, [answer["money"] for answer in answers])

    def quarter(
        self, moment: Moment, name: str, known: Known, clock: ClockName | None, policy: Policy
    ) -> Answer:
        """Give where a quarter stood, and what would be told of it.

        The money is what pressure may have cost in its wins, as `QuarterPressure` tells it.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        contexts = (known, known.under(policy))
        verdicts = [self.figures.verdicts(moment, name, one) for one in contexts]
        both = list(zip(contexts, verdicts, strict=True))
        return _beside(
            policy,
            [self.figures.quarter(moment, name, one, clock, judged=judged) for one, judged in both],
            verdicts,
            [self.pressure.cost(moment, name, one, judged) for one, judged in both],
        )


def _beside(
    policy: Policy,
    answers: Sequence[Answer],
    verdicts: Sequence[Sequence[ActVerdict]],
    money: Sequence[object],
) -> Answer:
    """Give the first answer with the second beside it, and what changed between them."""
    then, under = answers
    counts = [_counts(of.verdict for of in one) for one in verdicts]
    context = {
        "policy": policy.model_dump(mode="json"),
        "verdict_changes": _changes(*verdicts),
        "effect": {"counts": _both(counts), "money": _both(money)},
    }
    return beside(then, under, "what_if", context)


def _both(pair: Sequence[object]) -> dict[str, object]:
    then, now = pair
    return {"then": then, "now": now}


def _counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    counted = Counter(verdicts)
    return {verdict: counted[verdict] for verdict in _VERDICTS}


def _changes(then: Sequence[ActVerdict], under: Sequence[ActVerdict]) -> list[dict[str, Any]]:
    """Give the events that have another verdict, in the order of `then`."""
    after = {one.event_id: one.verdict for one in under}
    return [
        {
            "event_id": str(one.event_id),
            "deal_id": str(one.deal_id),
            "type": one.kind,
            "rep": one.rep,
            "before": one.verdict,
            "after": after[one.event_id],
        }
        for one in then
        if after[one.event_id] != one.verdict
    ]
