"""What the model refuses, told as pages tell everything: days, names and kinds of event."""

import re
from collections.abc import Mapping
from typing import Final

from api.web import format as f
from api.web.record_words import CORRECTIONS, FORMS, LABELS

_KINDS: Final = frozenset({*FORMS, *CORRECTIONS, "deal_opened", "deal_deleted"})
_QUOTED: Final = re.compile(r"(?<!\w)'([^']+)'(?!\w)")
"""An id, as Python quotes it; not the apostrophe of a genitive."""
_WORD: Final = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_EVENT: Final = re.compile(r" \(event [0-9a-f-]{36}\)")
_FIELD: Final = re.compile(r"\A(?:occurred_at|closed_on) ")
"""Where a sentence begins with the field that it stands beside."""


def refusal_words(detail: str, called: Mapping[str, str]) -> str:
    """What was refused and why, as a sentence; `called` are names by the ids that a form offers."""
    if detail == "missing":
        return "This is needed."
    told = _FIELD.sub("", _EVENT.sub("", f.sentence(detail)))
    told = _QUOTED.sub(
        lambda found: f"“{called[found[1]]}”" if found[1] in called else found[0], told
    )
    told = _WORD.sub(_word, told).replace("a decimal string", "a number")
    return f"{told[:1].upper()}{told[1:].rstrip('.')}."


def _word(found: re.Match[str]) -> str:
    word = found[0]
    return f"“{f.words_of(word)}”" if word in _KINDS else LABELS.get(word, word).lower()
