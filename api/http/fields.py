"""How the place of a fault is written: as a path such as `events[0].data.percent`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

_NO_FIELD: Final = re.compile(
    r"(list|dict|set|function-\w+|constrained-\w+|nullable)\[.*\]|str|int"
)
"""Steps that name a branch of a union and no field of the request."""
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TAG_AT: Final = 2
"""Where the path of an event's fault names the event's type: `events`, its index, the type."""


def field_path(steps: Iterable[str | int]) -> str:
    """Write the steps from the body to a field."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            path += f".{step}" if path else step
        else:
            path += f"[{step!r}]"
    return path


def field_errors(
    faults: Sequence[ErrorDetails] | Sequence[Mapping[str, Any]],
    *,
    skip: int = 0,
    tagged: bool = False,
) -> list[dict[str, str]]:
    """Name each field at fault and say what is wrong with it.

    `skip` leaves out leading steps that name no field; `tagged` says that events are told apart
    by their type, which the validator adds to the path.
    """
    return [
        {"field": field_path(_steps(fault, skip=skip, tagged=tagged)), "detail": sentence(fault)}
        for fault in faults
    ]


def sentence(fault: ErrorDetails | Mapping[str, Any]) -> str:
    """Say what is wrong, without the value, which may be anything."""
    match fault["type"]:
        case "missing":
            return "missing"
        case "extra_forbidden":
            return "not a field that is known here"
        case "string_pattern_mismatch":
            return "not of the form that is asked for"
        case "string_too_long":
            return f"longer than {fault['ctx']['max_length']} characters"
        case _:
            text = str(fault["msg"]).removeprefix("Value error, ")
            return text[:1].lower() + text[1:]


def _steps(fault: ErrorDetails | Mapping[str, Any], *, skip: int, tagged: bool) -> list[str | int]:
    steps: list[str | int] = list(fault["loc"])[skip:]
    if tagged and len(steps) > _TAG_AT and steps[0] == "events":
        del steps[_TAG_AT]
    if str(fault["type"]).startswith("union_tag"):
        steps.append("type")
    return [s for s in steps if isinstance(s, int) or not _NO_FIELD.fullmatch(s)]
