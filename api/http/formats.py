"""The formats that a page of the log may be asked for in, besides JSON, by their media types."""

from typing import Any, Final

from api.exchange.exporting import EXPORTS

NAMES: Final = {
    EXPORTS[name].media_type: name for name in ("ndjson", "csv", "cloudevents", "parquet")
}
"""Those whose pages make sense alone, each by its name."""
_TYPES: Final = {"cloudevents": "array", "ocel2": "object"}
"""What formats that are JSON hold; others are text to who reads JSON only."""
EXPORTED: Final[dict[str, Any]] = {
    one.media_type: {"schema": {"type": _TYPES.get(name, "string")}}
    for name, one in EXPORTS.items()
}
"""What an export of the log may be."""
FORMATS: Final[dict[str, Any]] = {media_type: EXPORTED[media_type] for media_type in NAMES}
"""What a page of the log may be asked for as, besides JSON."""
