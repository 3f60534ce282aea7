"""The tour of the pages on the sample company: which step is shown where, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from api.identity.permissions import Identity

COOKIE: Final = "tour"
"""Holds the step that a browser is at, or that it has seen enough."""
DONE: Final = "done"
LIFETIME_SECONDS: Final = 365 * 24 * 60 * 60


class Sample(Protocol):
    """Knows whether the ledger holds the sample company."""

    def is_loaded(self) -> bool:
        """Whether it is there."""
        ...

    def story(self, reader: Identity) -> str | None:
        """The deal that the tour opens; None where the reader may not see it."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the page that it is on, and what it says."""

    path: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class TourView:
    """A step, ready for its template; `number` counts from 1."""

    step: Step
    number: int
    of: int


_STEPS: Final = (
    Step(
        "/",
        "A company to look around in",
        "Its people, deals and customers are made up. This page says what was told last, and what"
        " waits. The question mark beside a figure opens how it is computed, with its numbers.",
    ),
    Step(
        "/board",
        "Ticked is not shown",
        "Every bead on a card is an activity that was ticked. It is filled where the customer"
        " showed its outcome, and hollow where there is a tick and nothing else.",
    ),
    Step(
        "/deals/",
        "One deal, event by event",
        "Above, how far its owner was behind the quota; below, what the customer did and what we"
        " did. A numbered pin is consistent with quota pressure, and its reasons stand beside the"
        " ledger. Move the slider to see the whole page as it was known after any event.",
    ),
    Step(
        "/replay",
        "A quarter, played again",
        "Choose a quarter and play it: the board as it stood at any instant, as known then or as"
        " known now, and what moved the pipeline between any two.",
    ),
    Step(
        "/process",
        "What each step is for",
        "Every activity stands over the outcome that it is meant to bring, and below is what it"
        " went with. That is the end of the tour; the menu with your name starts it again.",
    ),
)


def steps_for(tabs: Sequence[str], story: str | None) -> tuple[Step, ...]:
    """The steps on pages that a reader may open; the deal's leads to the one of the story."""
    open_to = (*tabs, "/deals/") if story else tabs
    return tuple(
        Step(f"/deals/{story}", step.title, step.text) if step.path == "/deals/" else step
        for step in _STEPS
        if step.path in open_to
    )


def tour_view(steps: Sequence[Step], *, at: str | None, path: str) -> TourView | None:
    """The step to show on a page; a browser that was never here begins at the first."""
    if at == DONE:
        return None
    number = int(at) if at in {str(one) for one in range(1, len(steps) + 1)} else 1
    step = steps[number - 1]
    return TourView(step, number, len(steps)) if step.path == path else None
