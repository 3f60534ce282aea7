"""What another policy would say: the same question under it, and the verdicts that it changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias
from uuid import UUID

from api.errors import UnknownThingError
from api.restatement import beside
from domain.known import Known
from domain.policy import Policy
from projections.pressure.acts import ActKind
from projections.pressure.fold import Verdict

Answer: TypeAlias = Mapping[str, object]


class Verdicted(Protocol):
    """A seller event with its verdict."""

    @property
    def deal_id(self) -> UUID: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def rep(self) -> str: ...
    @property
    def kind(self) -> ActKind: ...
    @property
    def verdict(self) -> Verdict: ...


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


def what_if(
    then: Answer, under: Answer, policy: Policy, changes: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Give an answer with what it would be under another policy, which nothing is changed for.

    `verdict_changes` names every event whose verdict would be another, `difference` every value,
    by its place, that would.
    """
    context = {"policy": policy.model_dump(mode="json"), "verdict_changes": list(changes)}
    return beside(then, under, "what_if", context)


def verdict_changes(
    then: Iterable[Verdicted], under: Iterable[Verdicted]
) -> list[dict[str, object]]:
    """Give the events that have a verdict in both, and not the same one, in the order of `then`."""
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
        if after.get(one.event_id, one.verdict) != one.verdict
    ]
