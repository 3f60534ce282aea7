"""Gates that were decided, and what they let pass that was never shown afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from domain.events.progress import GateDecided
from domain.evidence import Evidence, standing_evidence
from domain.process import REQUIRED_LEVEL, Process
from domain.replay import Event

UnmetFrom: TypeAlias = Literal["stated", "process"]


@dataclass(frozen=True, slots=True)
class Unmet:
    """An outcome that a gate found unmet, and the evidence since, if there is enough by now."""

    outcome: str
    required_level: int
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The last decision at the gate of a stage.

    `unmet_from` says who names what was unmet: the decision itself, or, where it overrode the gate
    without saying what, the outcomes that the process requires of the stage.
    """

    event: Event
    stage: str
    decision: str
    overridden: bool
    unmet: tuple[Unmet, ...]
    unmet_from: UnmetFrom

    @property
    def still_unmet(self) -> tuple[str, ...]:
        """What was let pass and is not shown to this day; nothing where the gate said stop."""
        if self.decision == "no_go":
            return ()
        return tuple(one.outcome for one in self.unmet if one.evidence is None)


def gates_of(events: Sequence[Event], process: Process) -> list[Gate]:
    """Give the last decision of each gate of a deal's view, in the order they were decided.

    Met since is what has standing evidence at its required level that occurred, or was told,
    after the decision: what the decider knew already did not satisfy them.
    """
    decided = {event.data.stage: event for event in events if isinstance(event.data, GateDecided)}
    evidence = standing_evidence(events)
    told = {event.event_id: event for event in events}
    ordered = sorted(decided.values(), key=lambda event: event.order)
    return [_gate(event, process, evidence, told) for event in ordered]


def _gate(
    event: Event,
    process: Process,
    evidence: Mapping[str, Sequence[Evidence]],
    told: Mapping[UUID, Event],
) -> Gate:
    data = event.data
    if not isinstance(data, GateDecided):
        message = f"{type(data).__name__} decides no gate"
        raise TypeError(message)
    overridden = bool(data.overridden)
    stated = data.unmet is not None or not overridden
    names = data.unmet or []
    if not stated:
        names = [outcome.id for outcome in process.required_outcomes([data.stage])]

    def unmet(name: str) -> Unmet:
        outcome = process.outcomes.get(name)
        needed = outcome.needed if outcome else REQUIRED_LEVEL
        pieces = evidence.get(name, ())
        enough = (one for one in pieces if one.level >= needed)
        since = (one for one in enough if not stated or _since(told[one.event_id], event))
        return Unmet(name, needed, next(since, None))

    return Gate(
        event=event,
        stage=data.stage,
        decision=data.decision,
        overridden=overridden,
        unmet=tuple(unmet(name) for name in dict.fromkeys(names)),
        unmet_from="stated" if stated else "process",
    )


def _since(evidence: Event, gate: Event) -> bool:
    return evidence.occurred_at > gate.occurred_at or evidence.told_at > gate.told_at
