"""The formats that the log is written in: one writer for each, whoever asks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from api.exchange.export_cloudevents import cloudevents
from api.exchange.export_ocel import ocel
from api.exchange.export_tables import csv_rows, parquet
from api.exchange.export_xes import xes
from api.exchange.told import Batches, ndjson


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format by its media type, the ending of its files, and what writes it piece by piece.

    `says_corrections` is whether it says beside an event what corrected it, which is looked up
    for those that do.
    """

    media_type: str
    suffix: str
    write: Callable[[Batches], Iterator[bytes]]
    says_corrections: bool = False


EXPORTS: Final[Mapping[str, ExportFormat]] = {
    "ndjson": ExportFormat("application/x-ndjson", "ndjson", ndjson),
    "csv": ExportFormat("text/csv", "csv", csv_rows, says_corrections=True),
    "cloudevents": ExportFormat(
        "application/cloudevents-batch+json",
        "cloudevents.json",
        cloudevents,
        says_corrections=True,
    ),
    "parquet": ExportFormat(
        "application/vnd.apache.parquet", "parquet", parquet, says_corrections=True
    ),
    "xes": ExportFormat("application/xml", "xes", xes),
    "ocel2": ExportFormat("application/json", "ocel.json", ocel),
}
"""Every format by its name, which is the one that `dealtrail import` reads it under."""
