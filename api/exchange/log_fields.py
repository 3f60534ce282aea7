"""The fields of an event of a log: taken from attributes, and written as payloads have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.exchange.csv_values import declared_number, number_text
from api.exchange.instants import OrderContradictedError, OrderUndeclaredError, parse_day
from api.exchange.lines import ExportRefusedError, JsonObject
from api.exchange.profile import Constant, EventMapping, Profile
from api.exchange.records import BadRecordError, NumberText, one_line
from domain.events.catalogue import TYPES_BY_NAME

_MONEY: Final = frozenset({"amount", "net", "list"})
_DAYS: Final = frozenset({"close_date", "to", "closed_on", "due", "expires_on"})
_COUNTS: Final = frozenset({"level"})
_NUMBERS: Final = frozenset({"percent"})
_PINNED: Final = frozenset({"process"})
"""Fields that the import itself decides."""
_LONGEST_LEVEL: Final = 2

Attributes = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FieldReader:
    """Reads what a mapping names from the attributes of one event."""

    profile: Profile
    file: str
    row: int
    currency: object = None
    """That of the deal's last amount, which holds where an event names none."""

    def data(self, mapping: EventMapping, attributes: Attributes) -> JsonObject:
        """The payload, without the fields that no attribute gives.

        Raises:
            BadRecordError: a value that cannot be read; the message names its attribute.
            ExportRefusedError: a date whose order is not declared, or declared wrongly.
        """
        found: JsonObject = {}
        for name in TYPES_BY_NAME[mapping.type].model_fields:
            source = mapping.fields.get(name, name)
            value = source.value if isinstance(source, Constant) else attributes.get(source)
            if value in (None, "") or name in _PINNED:
                continue
            label = name if isinstance(source, Constant) else source
            try:
                found[name] = self._written(name, value, mapping, attributes)
            except (OrderUndeclaredError, OrderContradictedError) as error:
                reason = f"{label}: {error}"
                raise ExportRefusedError(reason, file=self.file, row=self.row) from error
            except ValueError as error:
                raise BadRecordError(f"{label}: {error}") from error
        return found

    def _written(
        self, name: str, value: object, mapping: EventMapping, attributes: Attributes
    ) -> object:
        if not isinstance(value, str):
            return value
        if name in _MONEY:
            return {"amount": self._number(value), "currency": self._currency(mapping, attributes)}
        if name in _DAYS:
            return parse_day(value, self.profile.date_order).isoformat()
        if name in _NUMBERS:
            return self._number(value)
        if name in _COUNTS and value.isdecimal() and len(value) < _LONGEST_LEVEL:
            return int(value)
        if name == "account":
            return {"id": one_line(value), "name": one_line(value)}
        return one_line(value) if name == "name" else value

    def _number(self, value: str) -> str:
        """A number of the source as it is; a text as the profile says that numbers are written."""
        if isinstance(value, NumberText):
            return number_text(value)
        style = self.profile
        return declared_number(value, decimal=style.decimal, thousands=style.thousands)

    def _currency(self, mapping: EventMapping, attributes: Attributes) -> object:
        source = mapping.fields.get("currency", "currency")
        if isinstance(source, Constant):
            return source.value
        currency = attributes.get(source) or self.currency or self.profile.currency
        if not currency:
            raise ExportRefusedError(
                "an amount without a currency: declare `currency` in the profile",
                file=self.file,
                row=self.row,
            )
        return currency
