"""The formats that a page of the log may be asked for in, besides JSON, by their media types."""

from typing import Any, Final

from api.exchange.exporting import EXPORTS

NAMES: Final = {
    EXPORTS[name].media_type: name for name in ("ndjson", "csv", "cloudevents", "parquet")
}
"""Those whose pages make sense alone, each by its name."""
TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
FORMATS: Final[dict[str, Any]] = dict.fromkeys(NAMES, TEXT)
"""What a page of the log may be asked for as, besides JSON."""
EXPORTED: Final[dict[str, Any]] = {one.media_type: TEXT for one in EXPORTS.values()}
"""What an export of the log may be."""
