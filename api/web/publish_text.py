"""A version of a process as text: YAML, as `dealtrail process --publish` reads it, or JSON."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from api import strict_yaml
from api.answers import json_bytes
from api.web.reads import FormError

MOST_TEXT: Final = 1 << 17
"""Characters of a version; one of the usual size has some seven thousand."""
TEXT: Final = "text"
"""The field of the form that holds the text."""
DATA: Final = "events[0].data"
"""Where the version stands in the API's request."""
_FIELDS: Final = ("version", "name", "stages", "closing")
_INDEX: Final = re.compile(r"\.([0-9]+)(?=\.|\[|$)")
_WIDTH: Final = 96


def text_of(version: Mapping[str, Any], *, number: int) -> str:
    """Write a version, as the API answers it, under another number."""
    told = {name: version[name] for name in _FIELDS} | {"version": number}
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=_WIDTH)


def told_in(text: str) -> dict[str, Any]:
    """Give the version that a text tells; whether it may be is for the application to say.

    Raises:
        FormError: it is no YAML, or tells no fields.
    """
    if len(text) > MOST_TEXT:
        raise _wrong(f"At most {MOST_TEXT:,} characters are read.")
    try:
        told = strict_yaml.read(text)
        json_bytes(told)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 1}: " if mark else ""
        raise _wrong(f"{where}{error.problem or error.context}.") from error
    except RecursionError as error:
        raise _wrong("It is nested too deeply.") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise _wrong(f"This is not YAML: {_first_line(error)}.") from error
    except (TypeError, ValueError) as error:
        raise _wrong(f"It holds what no request can: {_first_line(error)}.") from error
    if not isinstance(told, dict):
        raise _wrong(f"Fields are expected: {', '.join(_FIELDS)}.")
    return told


def located(text: str, errors: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give the faults that the API finds in a version as faults of its text, each by its line."""
    found: list[tuple[str, str]] = []
    for field, detail in errors:
        path = _INDEX.sub(r"[\1]", field.removeprefix(DATA).removeprefix("."))
        where = f"line {strict_yaml.line_of(text, path)}, {path}: " if path else ""
        found.append((TEXT, f"{where}{detail}"))
    return found


def _wrong(detail: str) -> FormError:
    return FormError(detail, field=TEXT)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
