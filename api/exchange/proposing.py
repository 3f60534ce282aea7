"""A first profile for an export that nobody has described yet, in any format that takes one."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from api.exchange.context import NoContext
from api.exchange.guess import guess_profile
from api.exchange.importing import Format, reader_for
from api.exchange.lines import ExportRefusedError, Findings, JsonObject
from api.exchange.log_telling import UnmappedLogError
from api.exchange.own_tables import is_own_csv
from api.exchange.profile import IGNORED, Profile

_UNKNOWN_CURRENCY: Final = "XXX"
"""No currency, as ISO 4217 writes it: an export is read for its names, not for its amounts."""
_HINTS: Final = (
    ("reopen", "deal_reopened"),
    (r"won\b", "deal_won"),
    (r"win\b", "deal_won"),
    (r"lost\b", "deal_lost"),
    (r"lose\b", "deal_lost"),
    ("delete", "deal_deleted"),
    ("stage", "stage_entered"),
    ("close date", "close_date_moved"),
    ("amount", "amount_changed"),
    ("owner", "owner_changed"),
    ("discount", "discount_offered"),
    ("tick", "activity_ticked"),
    ("creat", "deal_opened"),
    ("open", "deal_opened"),
)
"""What an event may say in whose name a word begins so; the first that fits is proposed."""
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
"""A word of a name, be it written apart, with signs between or like `StageEntered`."""
_TOGETHER: Final = re.compile(r"\b(deal|close(?=date)|closed(?=won|lost))(?=[a-z])")
"""The first of two words that CRMs write as one, like HubSpot's `closedwon`."""


def propose_profile(name: Format, paths: Sequence[Path], *, declared: Profile | None) -> str:
    """A profile as YAML text, with what could not be seen left for its author to fill in.

    Raises:
        ExportRefusedError: the files are not of the format, or it takes no profile.
    """
    if name in ("ndjson", "parquet") or (name == "csv" and is_own_csv(paths[0])):
        raise ExportRefusedError("the lines say themselves what they mean", file=name)
    if name == "csv":
        return guess_profile(paths[0])
    findings = Findings()
    known = (declared or Profile()).model_copy(update={"currency": _UNKNOWN_CURRENCY})
    reader = reader_for(name, paths, profile=known, known=NoContext())
    try:
        for _ in reader.lines(findings):
            pass
    except UnmappedLogError:
        pass
    proposal: JsonObject = {"source": reader.system}
    for key, name_of in (("case", known.case), ("event_name", known.event_name)):
        if name_of is not None:
            proposal[key] = name_of
    return _text(proposal, findings)


def _text(proposal: JsonObject, findings: Findings) -> str:
    remarks = [
        "Proposed from the files; check every line before you import with it.",
        "Not in the files, to be declared: calendar, and currency where they name none.",
    ]
    if findings.unmapped_fields:
        remarks.append("custom_fields: say which of them stand for an event; see docs/import.md.")
        proposal["custom_fields"] = {
            field: {"event": IGNORED} for field in sorted(findings.unmapped_fields)
        }
    if findings.unmapped_events:
        remarks.append("events: the types are guessed by the names; declare their `fields`.")
        remarks.append("Not in the log, to be declared: stages, in the order of your process.")
        proposal["events"] = _events(findings.unmapped_events)
    text = yaml.safe_dump(proposal, sort_keys=False, allow_unicode=True)
    return "".join(f"# {remark}\n" for remark in remarks) + text


def _events(names: Mapping[str, None]) -> JsonObject:
    return {name: _guessed(name) for name in sorted(names)}


def _guessed(name: str) -> object:
    words = _TOGETHER.sub(r"\1 ", " ".join(_WORD.findall(name)).lower())
    return next(
        ({"type": kind} for word, kind in _HINTS if re.search(rf"\b{word}", words)), IGNORED
    )
