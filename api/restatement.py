"""How an answer of then reads in today's context: the same question again, and what differs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeGuard

Answer: TypeAlias = Mapping[str, object]

_KEYS: Final = (
    "event_id",
    "pattern_id",
    "deal_id",
    "activity",
    "outcome",
    "fact",
    "flag",
    "rep",
    "team",
    "stage",
    "category",
    "day",
    "name",
    "currency",
    "quarter",
)
"""What tells the members of a list apart; the first that all of them have, and have once."""
_STANDING: Final = frozenset({"as_of", "effective_at"})


def restated(then: Answer, now: Answer, *, position: int) -> dict[str, object]:
    """Give an answer with what it would be in the context as known at another position.

    `difference` names every value that differs by its place, members of lists by what they are
    about: `reps[ann].quota.amount`. `null` stands for what is not there.
    """
    return beside(then, now, "restated", {"context": {"position": position}})


def beside(then: Answer, now: Answer, name: str, context: Answer) -> dict[str, object]:
    """Give an answer with another one beside it under a name, told in what context it holds."""
    plain = {name: value for name, value in now.items() if name not in _STANDING}
    kept = {name: value for name, value in then.items() if name not in _STANDING}
    return {
        **then,
        name: {**context, **plain},
        "difference": [
            {"at": place, "then": before, "now": after}
            for place, before, after in differences(kept, plain)
        ],
    }


def differences(then: object, now: object, place: str = "") -> Iterator[tuple[str, object, object]]:
    """Give the places at which two answers differ, in the order in which they come."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in [*then, *(name for name in now if name not in then)]:
            inside = f"{place}.{name}" if place else str(name)
            yield from differences(then.get(name), now.get(name), inside)
    elif _is_list(then) and _is_list(now):
        yield from _in_lists(then, now, place)
    elif then != now:
        yield place, then, now


def _in_lists(
    then: Sequence[Any], now: Sequence[Any], place: str
) -> Iterator[tuple[str, object, object]]:
    key = _key([then, now])
    before, after = _named(then, key), _named(now, key)
    for name in [*before, *(name for name in after if name not in before)]:
        yield from differences(before.get(name), after.get(name), f"{place}[{name}]")


def _named(members: Sequence[Any], key: str | None) -> dict[object, Any]:
    if key is None:
        return dict(enumerate(members))
    return {member[key]: member for member in members}


def _key(lists: Sequence[Sequence[Any]]) -> str | None:
    for key in _KEYS:
        if all(_tells_apart(members, key) for members in lists):
            return key
    return None


def _tells_apart(members: Sequence[Any], key: str) -> bool:
    found = [m.get(key) if isinstance(m, Mapping) else None for m in members]
    plain = [value for value in found if isinstance(value, str)]
    return len(plain) == len(members) and len(set(plain)) == len(plain)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
