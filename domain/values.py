"""The small values that event payloads are made of: money, shares, texts, instants, dates."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Annotated, Final, Self, TypeAlias
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    Strict,
    WithJsonSchema,
)

MAX_DIGITS: Final = 20
"""Digits of a decimal in a payload, before and after the point together."""
MAX_DECIMALS: Final = 6
"""Digits after the point: enough for any minor unit and for a third of a percentage."""
FIRST_YEAR: Final = 1970
"""Instants before this are a source's zero date, not history."""
FIRST_DATE_YEAR: Final = 1900
"""Dates may be older than instants, but a year like 0001 is a placeholder."""
LAST_YEAR: Final = 2999
"""Later years, such as the 9999 of some systems, are placeholders too."""

_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def _whole(digits: int, decimals: int) -> str:
    """Give the pattern of numbers from 1 up with so many digits at most, before and after."""
    free = digits - decimals
    short = rf"[1-9][0-9]{{0,{free - 1}}}(\.[0-9]{{1,{decimals}}})?"
    long = [rf"[1-9][0-9]{{{n - 1}}}(\.[0-9]{{1,{digits - n}}})?" for n in range(free + 1, digits)]
    return "|".join([short, *long, f"[1-9][0-9]{{{digits - 1}}}"])


def _below_one(decimals: int) -> str:
    """Give the pattern of the digits after `0.`, of which one at least is not 0."""
    return "|".join(
        f"{'0' * zeros}[1-9][0-9]{{0,{decimals - zeros - 1}}}" for zeros in range(decimals)
    )


# Without lookaheads, so that tools can make what fits and need not try.
_WHOLE: Final = _whole(MAX_DIGITS, MAX_DECIMALS)
_BELOW_ONE: Final = rf"0\.({_below_one(MAX_DECIMALS)})"
_AMOUNT_PATTERN: Final = rf"^(0(\.0{{1,{MAX_DECIMALS}}})?|-?({_BELOW_ONE}|{_WHOLE}))$"
_RATE_PATTERN: Final = rf"^({_BELOW_ONE}|{_WHOLE})$"
_PERCENT_PATTERN: Final = (
    rf"^(100(\.0{{1,{MAX_DECIMALS}}})?|[1-9]?[0-9](\.[0-9]{{1,{MAX_DECIMALS}}})?)$"
)
_SHARE_PATTERN: Final = rf"^(1(\.0{{1,{MAX_DECIMALS}}})?|0(\.[0-9]{{1,{MAX_DECIMALS}}})?)$"
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-5][0-9])"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNPRINTABLE_IN_LONG: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*$"
_IDENTIFIER_PATTERN: Final = (
    r"^[^\x00-\x1f\x7f-\x9f\s]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s])?$"
)
_LONG_PATTERN: Final = _LINE_PATTERN.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f")

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""The default context rounds at 28 digits; an amount times a rate may need more."""


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies cannot be added or compared; convert one first."""


def exact_decimal(value: object) -> Decimal:
    """The decimal that a plain string such as "30000.00" (or a Decimal) names, scale kept.

    Raises ValueError for JSON numbers, exponents, NaN, infinities, and too many digits.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return _within_digits(format(value or value.copy_abs(), "f"))
    if not isinstance(value, str):
        raise _unlike('a decimal string such as "30000.00"', value)
    if _DECIMAL.fullmatch(value) is None:
        raise ValueError(
            'expected a decimal string such as "30000.00": digits and at most one point, '
            "no exponent, separator, space or leading zero"
        )
    return _within_digits(value)


def _within_digits(text: str) -> Decimal:
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > MAX_DECIMALS:
        raise ValueError(f"expected at most {MAX_DECIMALS} digits after the point")
    if len(whole) + len(fraction) > MAX_DIGITS:
        raise ValueError(f"expected at most {MAX_DIGITS} digits")
    number = Decimal(text)
    if not number and number.is_signed():
        raise ValueError("expected zero without a minus sign")
    return number


def decimal_text(value: Decimal) -> str:
    """The decimal as a plain string: scale kept, never an exponent."""
    return format(value, "f")


def _unlike(expected: str, value: object) -> ValueError:
    # Not a TypeError: pydantic turns only a ValueError into an error that names the field.
    return ValueError(f"expected {expected}, not {_kind(value)}")


def _kind(value: object) -> str:
    """What a JSON reader would call the value, for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float | Decimal):
        return "a number"
    return {"list": "a list", "dict": "an object"}.get(type(value).__name__, type(value).__name__)


def _integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _between(lowest: int, highest: int) -> Callable[[object], Decimal]:
    def check(value: object) -> Decimal:
        number = exact_decimal(value)
        if not lowest <= number <= highest:
            raise ValueError(f"expected a decimal string from {lowest} to {highest}")
        return number

    return check


def _single_line(value: object) -> str:
    text = _string(value)
    if _UNPRINTABLE.search(text):
        raise ValueError("expected one line of text without control characters or lone surrogates")
    return text


def _short_text(value: object) -> str:
    return _not_blank(_single_line(value))


def _long_text(value: object) -> str:
    text = _not_blank(_string(value))
    if _UNPRINTABLE_IN_LONG.search(text):
        raise ValueError(
            "expected text without control characters (other than newline and tab) "
            "or lone surrogates"
        )
    return text


def _identifier(value: object) -> str:
    text = _single_line(value)
    if text != text.strip():
        raise ValueError("expected an identifier without a space at its beginning or end")
    return text


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _unlike("a string", value)
    return value


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text, not blanks only")
    return text


def utc_instant(value: object) -> datetime:
    """The instant, in UTC, that an RFC 3339 string or an aware datetime names.

    Raises ValueError where the zone is missing or the year is outside 1970 to 2999.
    """
    if isinstance(value, str):
        if _INSTANT.fullmatch(value) is None:
            raise ValueError(
                'expected an instant with its zone, such as "2025-03-31T18:00:00Z" '
                '(or "+02:00" in place of "Z"; at most six digits of a second)'
            )
        value = _calendar_instant(value)
    if not isinstance(value, datetime):
        raise _unlike('an instant as "2025-03-31T18:00:00Z"', value)
    if value.tzinfo is UTC and FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    if value.utcoffset() is None:
        raise ValueError("expected an instant with its zone, not a local time")
    # Checked before the shift as well: the first and last years cannot be shifted at all.
    if FIRST_YEAR - 1 <= value.year <= LAST_YEAR + 1:
        instant = value.astimezone(UTC)
        if FIRST_YEAR <= instant.year <= LAST_YEAR:
            return instant
    raise ValueError(f"expected an instant of the years {FIRST_YEAR} to {LAST_YEAR}")


def local_date(value: object) -> date:
    """The day that a "YYYY-MM-DD" string or a date names; a datetime is refused."""
    if isinstance(value, str):
        if _DATE.fullmatch(value) is None:
            raise ValueError('expected a date as "YYYY-MM-DD"')
        value = _calendar_date(value)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _unlike('a date as "YYYY-MM-DD"', value)
    if not FIRST_DATE_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"expected a date of the years {FIRST_DATE_YEAR} to {LAST_YEAR}")
    return value


def _calendar_instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected an instant that exists: {error}") from error


def _calendar_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected a date that exists: {error}") from error


def _rate(value: object) -> Decimal:
    rate = exact_decimal(value)
    if rate <= 0:
        raise ValueError("expected a rate above zero")
    return rate


def _schema(pattern: str, description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": description})


_AS_TEXT: Final = PlainSerializer(decimal_text, return_type=str, when_used="json")

Amount: TypeAlias = Annotated[
    Decimal,
    PlainValidator(exact_decimal),
    _AS_TEXT,
    _schema(_AMOUNT_PATTERN, "A decimal amount."),
]
Rate: TypeAlias = Annotated[
    Decimal,
    PlainValidator(_rate),
    _AS_TEXT,
    _schema(_RATE_PATTERN, "What one unit counts for in the currency of the quotas."),
]
Percent: TypeAlias = Annotated[
    Decimal,
    PlainValidator(_between(0, 100)),
    _AS_TEXT,
    _schema(_PERCENT_PATTERN, "A percentage from 0 to 100."),
]
Share: TypeAlias = Annotated[
    Decimal,
    PlainValidator(_between(0, 1)),
    _AS_TEXT,
    _schema(_SHARE_PATTERN, "A share from 0 to 1."),
]
WHOLE: Final = BeforeValidator(_integer)
"""Lets `7.0` be the integer that JSON Schema takes it for: some clients write all numbers so."""

# The lengths and patterns stand before the validators, so that they shape the JSON schema too.
Identifier: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": _IDENTIFIER_PATTERN}),
    BeforeValidator(_identifier),
]
ShortText: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=500, json_schema_extra={"pattern": _LINE_PATTERN}),
    BeforeValidator(_short_text),
]
LongText: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=10_000, json_schema_extra={"pattern": _LONG_PATTERN}),
    BeforeValidator(_long_text),
]
EventId: TypeAlias = UUID
FiscalYear: TypeAlias = Annotated[int, Strict(), Field(ge=FIRST_YEAR, le=LAST_YEAR), WHOLE]
Level: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=5), WHOLE]
CommitmentLevel: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=5), WHOLE]
FiscalQuarterName: TypeAlias = Annotated[
    str, Field(pattern=r"^FY[0-9]{4}Q[1-4]$"), BeforeValidator(_string)
]
CurrencyCode: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), BeforeValidator(_string)]
ZonedInstant: TypeAlias = Annotated[datetime, BeforeValidator(utc_instant)]
LocalDate: TypeAlias = Annotated[date, BeforeValidator(local_date)]

_NO_MINOR_UNIT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS: Final = "CLF UYW"
_MINOR_DIGITS: Final[dict[str, int]] = {
    currency: digits
    for digits, currencies in (
        (0, _NO_MINOR_UNIT),
        (3, _THREE_DIGITS),
        (4, _FOUR_DIGITS),
    )
    for currency in currencies.split()
}
"""Digits of the minor unit (ISO 4217) where it is not two."""


def minor_digits(currency: str) -> int:
    """Give the digits of a currency's minor unit; two if it is not listed."""
    return _MINOR_DIGITS.get(currency, 2)


def minor_units(amount: Decimal, currency: str) -> int:
    """Give an amount in whole minor units, rounded once, half to even."""
    shifted = amount.scaleb(minor_digits(currency), context=_EXACT)
    return int(shifted.to_integral_value(rounding=ROUND_HALF_EVEN))


class Money(BaseModel):
    """An amount in one currency, kept exactly as it was given until it is quantised.

    Arithmetic keeps every digit, so a result may hold more of them than a payload accepts;
    `quantised` brings it back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Amount
    currency: CurrencyCode

    @classmethod
    def of(cls, amount: Decimal | str, currency: str) -> Self:
        """The money that a payload with these two values would hold; ValueError if none."""
        return cls.model_validate({"amount": amount, "currency": currency})

    @classmethod
    def of_minor_units(cls, units: int, currency: str) -> "Money":
        """The money of so many whole minor units."""
        amount = Decimal(units).scaleb(-minor_digits(currency), context=_EXACT)
        # Unvalidated, because a sum may have more digits than a payload.
        return cls.model_construct(amount=amount, currency=currency)

    def plus(self, other: "Money") -> "Money":
        return self._with(_EXACT.add(self.amount, self._comparable(other)))

    def minus(self, other: "Money") -> "Money":
        return self._with(_EXACT.subtract(self.amount, self._comparable(other)))

    def times(self, factor: Decimal) -> "Money":
        return self._with(_EXACT.multiply(self.amount, factor))

    def quantised(self) -> "Money":
        """Rounded once, half to even, to the currency's minor unit (two digits if unlisted)."""
        exponent = Decimal(1).scaleb(-minor_digits(self.currency))
        return self._with(self.amount.quantize(exponent, context=_EXACT))

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._comparable(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._comparable(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._comparable(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._comparable(other)

    def _comparable(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise CurrencyMismatchError(
                f"{self.currency} and {other.currency} are different currencies; convert one first"
            )
        return other.amount

    def _with(self, amount: Decimal) -> "Money":
        # Unvalidated, because a product may have more digits than a payload.
        return Money.model_construct(amount=amount, currency=self.currency)


def money_json(amount: Decimal, currency: str) -> dict[str, str]:
    """Give a sum of amounts as answers show it: rounded once, half to even, to the minor unit."""
    # Unvalidated, because a share of an amount may have more digits than a payload.
    money = Money.model_construct(amount=amount, currency=currency).quantised()
    return {"amount": decimal_text(money.amount), "currency": currency}
