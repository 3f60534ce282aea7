"""A maximum matching that is made step by step: who is matched once stays matched."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

One = TypeVar("One", bound=Hashable)
Choice = TypeVar("Choice", bound=Hashable)


def matching(
    ones: Iterable[One],
    choices: Callable[[One], Sequence[Choice]],
    alike: Callable[[One, Choice, Choice], bool],
) -> dict[One, Choice]:
    """Give each one, in order, the first of its choices that is free, so that most have one.

    Where none is free, ones before it change to others of their choices along a shortest
    augmenting path: to choices `alike` those they had, or to any where no such path leads on. So
    the matching is maximum among the first n for every n (Berge 1957): no later one, and no
    further choice, leaves anyone unmatched who was matched without.
    """
    found = _Matching(choices)
    for one in ones:
        if not found.match(one, alike):
            found.match(one, lambda *_: True)
    return found.matched


class _Matching(Generic[One, Choice]):
    """Who has which choice so far."""

    def __init__(self, choices: Callable[[One], Sequence[Choice]]) -> None:
        self.matched: dict[One, Choice] = {}
        self._holders: dict[Choice, One] = {}
        self._choices = choices

    def match(self, one: One, may_change: Callable[[One, Choice, Choice], bool]) -> bool:
        """Give it a choice, others changing theirs where they may; say whether that could be."""
        takers: dict[Choice, One] = {}
        asking = deque([one])
        while asking:
            taker = asking.popleft()
            for choice in self._choices(taker):
                held = self.matched.get(taker)
                if choice in takers or not (held is None or may_change(taker, held, choice)):
                    continue
                takers[choice] = taker
                if choice not in self._holders:
                    self._change(choice, takers)
                    return True
                asking.append(self._holders[choice])
        return False

    def _change(self, free: Choice, takers: Mapping[Choice, One]) -> None:
        """Hand on the choices along a path, from the free one back to who began it."""
        choice: Choice | None = free
        while choice is not None:
            taker = takers[choice]
            given_up = self.matched.get(taker)
            self.matched[taker], self._holders[choice] = choice, taker
            choice = given_up
