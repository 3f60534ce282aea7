"""Explicit streams of chance: one for each deal, so that one more deal changes no other."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Thing = TypeVar("Thing")


class Chance:
    """A reproducible stream of draws, named by what it is for.

    It rests on `Random.random` alone, the one draw that Python promises to keep the same
    from version to version.
    """

    __slots__ = ("_random",)

    def __init__(self, *names: object) -> None:
        name = "/".join(str(part) for part in names)
        self._random = Random(name)  # noqa: S311 - a simulation, not a secret

    def happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return low + int(self._random.random() * (high - low + 1))

    def one_of(self, things: Sequence[Thing]) -> Thing:
        return things[int(self._random.random() * len(things))]
