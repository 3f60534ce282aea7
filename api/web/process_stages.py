"""The stages of a version of a process as columns, and what differs in each from another one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any, Final, Literal, Self, TypeAlias

from api.web.vocabulary import EVIDENCE_LEVELS
from domain.process import REQUIRED_LEVEL

Version: TypeAlias = Mapping[str, Any]
"""A version of a process as the API answers it."""
Part: TypeAlias = Mapping[str, Any]
"""A stage, an activity or an outcome of one."""
Mark: TypeAlias = Literal["", "added", "removed", "changed", "moved"]
_MARKS: Final[tuple[Mark, ...]] = ("added", "removed", "changed", "moved")
_Texts: TypeAlias = dict[str, tuple[str, ...]]
_Pair: TypeAlias = tuple[Part | None, Part | None, str, str]
"""A part as it was and as it is, the place that it had where it has another, and where it went."""


@dataclass(frozen=True, slots=True)
class Was:
    """What is otherwise than it was, and what it said; empty where it said nothing."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How a part of a version differs from the other one; what was moved away stands in `to`."""

    mark: Mark = ""
    was: tuple[Was, ...] = ()
    to: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An intended outcome, and what is asked for to show it."""

    name: str
    wanted: str
    differs: Difference


@dataclass(frozen=True, slots=True)
class Activity:
    """A step with what it is for; `weight` says how often it counts, most often once."""

    name: str
    purpose: str
    weight: str
    outcomes: tuple[Outcome, ...]
    differs: Difference


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its goal and how it is left; `days` is how long deals stay, as far as known.

    `closes` says whether deals are won or lost in it.
    """

    name: str
    goal: str
    exits: tuple[str, ...]
    closes: str
    activities: tuple[Activity, ...]
    days: str
    differs: Difference

    @property
    def changes(self) -> str:
        """Say how many of its activities and outcomes differ, and how; empty where none does."""
        parts = [one.differs.mark for one in self.activities]
        parts += [one.differs.mark for own in self.activities for one in own.outcomes]
        counted = Counter(parts)
        return ", ".join(f"{counted[mark]} {mark}" for mark in _MARKS if counted[mark])

    @property
    def is_changed(self) -> bool:
        """Whether anything about it differs."""
        return bool(self.differs.mark or self.changes)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What a version says as a whole, and what the other one said."""

    what: str
    now: str
    was: str


def stages_of(
    version: Version, other: Version | None = None, days: Mapping[str, str] | None = None
) -> tuple[Stage, ...]:
    """Give the stages in order, with those that only the other version has where it has them.

    Without another version nothing differs. Stages in which deals are won or lost are left out
    unless they differ.
    """
    found = _Compared(version, version if other is None else other, days or {}).stages()
    return tuple(one for one in found if one.is_changed or not one.closes)


def whole_of(version: Version, other: Version) -> tuple[Otherwise, ...]:
    """Give what differs beside the stages: the name, and where deals are won and lost."""
    now, was = (
        {"Name": (one["name"],), "Won in": _closing(one, "won"), "Lost in": _closing(one, "lost")}
        for one in (version, other)
    )
    return tuple(
        Otherwise(what, _joined(text), _joined(was[what]))
        for what, text in now.items()
        if text != was[what]
    )


class _Compared:
    """A version beside another, part by part: ids stay what names and places change."""

    def __init__(self, version: Version, other: Version, days: Mapping[str, str]) -> None:
        self._before, self._now = _stages(other), _stages(version)
        self._days = days
        self._steps = _Homes.of(self._before, self._now, "activities")
        self._aims = _Homes.of(self._steps.before.parts, self._steps.now.parts, "outcomes")

    def stages(self) -> Iterator[Stage]:
        for was, now, place in _merged(self._before, self._now):
            texts = _stage_texts(_either(was, now))
            yield Stage(
                name=_joined(texts["Name"]),
                goal=_joined(texts["Goal"]),
                exits=texts["Exit"],
                closes=_joined(texts["Closing"]),
                activities=tuple(self._activities(was, now)),
                days=self._days.get(_either(was, now)["id"], ""),
                differs=_difference(_stage_texts, (was, now, place, "")),
            )

    def _activities(self, old: Part | None, new: Part | None) -> Iterator[Activity]:
        for pair in self._steps.within(old, new):
            was, now, _, to = pair
            texts = _activity_texts(_either(was, now))
            yield Activity(
                name=_joined(texts["Name"]),
                purpose=_joined(texts["Purpose"]),
                weight=_joined(texts["Weight"]),
                outcomes=() if to else tuple(self._outcomes(was, now)),
                differs=_difference(_activity_texts, pair),
            )

    def _outcomes(self, old: Part | None, new: Part | None) -> Iterator[Outcome]:
        for pair in self._aims.within(old, new):
            texts = _outcome_texts(_either(pair[0], pair[1]))
            yield Outcome(
                name=_joined(texts["Name"]),
                wanted=_joined(texts["Shown by"]),
                differs=_difference(_outcome_texts, pair),
            )


@dataclass(frozen=True, slots=True)
class _Home:
    """Where each part of a kind stands in one version: by its id, what it is part of, and it."""

    of: Mapping[str, tuple[Part, Part]]

    @property
    def parts(self) -> list[Part]:
        return [part for _, part in self.of.values()]


@dataclass(frozen=True, slots=True)
class _Homes:
    """Where the parts of a kind stood in the other version, and where they stand in this one."""

    kind: str
    before: _Home
    now: _Home

    @classmethod
    def of(cls, before: Iterable[Part], now: Iterable[Part], kind: str) -> Self:
        was, stands = (
            _Home({part["id"]: (home, part) for home in homes for part in home[kind]})
            for homes in (before, now)
        )
        return cls(kind, was, stands)

    def within(self, old: Part | None, new: Part | None) -> Iterator[_Pair]:
        """Give the parts of a stage or an activity, also those that came from or went to others."""
        before, after = (one[self.kind] if one else () for one in (old, new))
        for was, now, place in _merged(before, after):
            if was and not now and was["id"] in self.now.of:
                yield was, None, "", self.now.of[was["id"]][0]["name"]
            elif now and not was and now["id"] in self.before.of:
                home, part = self.before.of[now["id"]]
                yield part, now, f"in {home['name']}", ""
            else:
                yield was, now, place, ""


def _merged(
    before: Sequence[Part], now: Sequence[Part]
) -> Iterator[tuple[Part | None, Part | None, str]]:
    """Give each part as it was and as it is, with the place that it had among those that stay.

    They come in the order of now, and what is gone where it was.
    """
    had, has = ({one["id"]: one for one in parts} for parts in (before, now))
    old, new = list(had), list(has)
    order = SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, begin, end in order.get_opcodes():
        yield from ((had[one], None, "") for one in old[first:last] if one not in has)
        for one in new[begin:end]:
            moved = kind != "equal" and one in had
            yield had.get(one), has[one], _place(old, one, had) if moved else ""


def _place(order: Sequence[str], part: str, parts: Mapping[str, Part]) -> str:
    """Say what a part came after."""
    at = order.index(part)
    return f"after {parts[order[at - 1]]['name']}" if at else "first"


def _difference(texts_of: Callable[[Part], _Texts], pair: _Pair) -> Difference:
    was, now, place, to = pair
    if was is None or now is None:
        return Difference("moved" if to else "added" if was is None else "removed", to=to)
    texts = texts_of(now)
    told = [Was(what, _joined(t)) for what, t in texts_of(was).items() if t != texts[what]]
    told += [Was("Place", place)] if place else []
    return Difference("changed" if told else "", tuple(told))


def _stages(version: Version) -> list[Part]:
    """Give the stages, each with what closes in it."""
    ways = {way: _ids(version, way) for way in ("won", "lost")}
    return [
        {**stage, "closes": tuple(way for way, ids in ways.items() if stage["id"] in ids)}
        for stage in version["stages"]
    ]


def _stage_texts(stage: Part) -> _Texts:
    exits = stage.get("exit") or ()
    return {
        "Name": (stage["name"],),
        "Goal": (stage["goal"],),
        "Exit": (exits,) if isinstance(exits, str) else tuple(exits),
        "Closing": tuple(f"Deals are {way} in it" for way in stage["closes"]),
    }


def _activity_texts(activity: Part) -> _Texts:
    weight = Decimal(activity.get("weight") or 1)
    return {
        "Name": (activity["name"],),
        "Purpose": (activity["purpose"],),
        "Weight": (f"{weight.normalize():f}",),
    }


def _outcome_texts(outcome: Part) -> _Texts:
    level = outcome.get("required_level") or REQUIRED_LEVEL
    return {"Name": (outcome["name"],), "Shown by": (EVIDENCE_LEVELS[level],)}


def _ids(version: Version, way: str) -> tuple[str, ...]:
    told = version["closing"][way]
    return (told,) if isinstance(told, str) else tuple(told)


def _closing(version: Version, way: str) -> tuple[str, ...]:
    names = {stage["id"]: stage["name"] for stage in version["stages"]}
    return tuple(names.get(one, one) for one in _ids(version, way))


def _either(was: Part | None, now: Part | None) -> Part:
    """Give a part as it is, or as it was where it is no more."""
    if now is not None:
        return now
    if was is None:
        raise ValueError("a part that neither was nor is")
    return was


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(texts)
