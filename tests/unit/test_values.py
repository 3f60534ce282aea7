import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from domain.values import (
    CommitmentLevel,
    CurrencyMismatchError,
    FiscalQuarterName,
    Identifier,
    Level,
    LocalDate,
    LongText,
    Money,
    Percent,
    Rate,
    Share,
    ShortText,
    ZonedInstant,
    minor_units,
)


class Everything(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    money: Money
    percent: Percent
    share: Share
    rate: Rate
    name: Identifier
    short: ShortText
    long: LongText
    level: Level
    commitment: CommitmentLevel
    quarter: FiscalQuarterName
    at: ZonedInstant
    on: LocalDate


ACCEPTED: dict[str, Any] = {
    "money": {"amount": "30000.00", "currency": "USD"},
    "percent": "12.50",
    "share": "0.333333",
    "rate": "1.10",
    "name": "Closed Won",
    "short": "Meet them",
    "long": "two\nlines\tand a tab",
    "level": 3,
    "commitment": 0,
    "quarter": "FY2026Q3",
    "at": "2025-03-31T18:00:00Z",
    "on": "2025-03-31",
}


def messages(field: str, value: object) -> list[str]:
    """What a payload with this one value is refused with, as a decoded object and as bytes."""
    payload = ACCEPTED | {field: value}
    found = []
    with pytest.raises(ValidationError) as refused:
        Everything.model_validate(payload)
    found += [error["msg"] for error in refused.value.errors() if error["loc"][0] == field]
    with pytest.raises(ValidationError) as refused:
        Everything.model_validate_json(json.dumps(payload))
    return found + [error["msg"] for error in refused.value.errors()]


def test_a_payload_comes_back_exactly_as_it_was_given() -> None:
    text = json.dumps(ACCEPTED, separators=(",", ":"))

    assert Everything.model_validate_json(text).model_dump_json() == text
    assert Everything.model_validate(json.loads(text)).model_dump_json() == text


@pytest.mark.parametrize("amount", ["0", "0.000000", "-1.5", "30000.00", "99999999999999.999999"])
def test_an_amount_keeps_its_scale(amount: str) -> None:
    money = Money.of(amount, "EUR")

    assert money.model_dump(mode="json") == {"amount": amount, "currency": "EUR"}


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (30000, "not a number"),
        (30000.0, "not a number"),
        (True, "not a boolean"),
        (None, "not null"),
        (["1"], "not a list"),
        ("", "expected a decimal string"),
        ("1e3", "no exponent"),
        ("NaN", "expected a decimal string"),
        ("Infinity", "expected a decimal string"),
        ("1,000.00", "separator"),
        ("1_000", "separator"),
        ("007", "leading zero"),
        (" 1", "space"),
        ("+1", "expected a decimal string"),
        (".5", "expected a decimal string"),
        ("5.", "expected a decimal string"),
        ("٣", "expected a decimal string"),
        ("-0.00", "without a minus sign"),
        ("0.0000001", "at most 6 digits after the point"),
        ("123456789012345678901", "at most 20 digits"),
    ],
)
def test_an_amount_that_is_not_a_plain_decimal_string_is_refused(
    amount: object, expected: str
) -> None:
    found = messages("money", {"amount": amount, "currency": "USD"})

    assert found
    assert all(expected in message for message in found)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1E-7"])
def test_a_decimal_object_that_no_payload_could_hold_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        Money.of(Decimal(amount), "USD")


def test_a_decimal_object_becomes_a_plain_one() -> None:
    assert Money.of(Decimal("1E+3"), "USD").model_dump_json() == (
        '{"amount":"1000","currency":"USD"}'
    )
    assert str(Money.of(Decimal("-0.00"), "USD").amount) == "0.00"


@pytest.mark.parametrize("currency", ["usd", "US", "USDX", "USD\n", "ÄÖÜ", 5, None])
def test_a_currency_is_three_capital_letters(currency: object) -> None:
    assert messages("money", {"amount": "1", "currency": currency})


def test_money_refuses_fields_it_does_not_know() -> None:
    assert (
        messages("money", ACCEPTED["money"] | {"cents": 1})
        == ["Extra inputs are not permitted"] * 2
    )


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("percent", "100.000001", "from 0 to 100"),
        ("percent", "-1", "from 0 to 100"),
        ("percent", 10, "not a number"),
        ("share", "1.01", "from 0 to 1"),
        ("share", 0.5, "not a number"),
        ("rate", "0.00", "above zero"),
        ("name", "", "at least 1 character"),
        ("name", " rep", "beginning or end"),
        ("name", "rep\u00a0", "beginning or end"),
        ("name", "a\nb", "control characters"),
        ("name", "a\x00b", "control characters"),
        ("name", "a\x85b", "control characters"),
        ("name", "x" * 201, "at most 200"),
        ("name", 7, "not a number"),
        ("short", True, "not a boolean"),
        ("short", "  ", "not blanks only"),
        ("short", "a\tb", "one line"),
        ("short", "x" * 501, "at most 500"),
        ("long", "a\x00b", "control characters"),
        ("long", "a\r\nb", "control characters"),
        ("long", "\n", "not blanks only"),
        ("long", "x" * 10_001, "at most 10000"),
        ("level", 0, "greater than or equal to 1"),
        ("level", 6, "less than or equal to 5"),
        ("level", "3", "valid integer"),
        ("level", True, "valid integer"),
        ("level", 3.5, "valid integer"),
        ("commitment", -1, "greater than or equal to 0"),
        ("quarter", "FY2026Q5", "pattern"),
        ("quarter", "2026Q1", "pattern"),
        ("quarter", "FY2026Q1\n", "pattern"),
        ("at", "2025-03-31T18:00:00", "with its zone"),
        ("at", "2025-03-31", "with its zone"),
        ("at", "1743444000", "with its zone"),
        ("at", "2025-03-31T18:00:00.1234567Z", "six digits"),
        ("at", 1743444000, "not a number"),
        ("at", "2025-02-29T00:00:00Z", "that exists"),
        ("at", "2025-02-28T24:00:01Z", "that exists"),
        ("at", "1970-01-01T00:30:00+01:00", "1970 to 2999"),
        ("at", "0001-01-01T00:00:00+01:00", "1970 to 2999"),
        ("at", "9999-12-31T23:59:59-01:00", "1970 to 2999"),
        ("on", "2025-03-31T00:00:00", "YYYY-MM-DD"),
        ("on", "31.03.2025", "YYYY-MM-DD"),
        ("on", "2025-02-29", "that exists"),
        ("on", 20250331, "not a number"),
        ("on", "9999-12-31", "1900 to 2999"),
    ],
)
def test_a_value_of_the_wrong_kind_or_size_is_refused_with_what_was_expected(
    field: str, value: object, expected: str
) -> None:
    found = messages(field, value)

    assert len(found) == 2
    assert all(expected in message for message in found)


def test_a_lone_surrogate_is_no_text() -> None:
    for kind in (Identifier, ShortText, LongText):
        with pytest.raises(ValidationError, match="surrogates"):
            TypeAdapter(kind).validate_python("a\ud800b")


def test_text_may_use_every_script() -> None:
    assert TypeAdapter(ShortText).validate_python("Łódź 東京 👩‍💻") == "Łódź 東京 👩‍💻"


def test_an_instant_is_kept_in_utc() -> None:
    given = "2025-03-31T23:30:00.250000-05:00"
    in_utc = datetime(2025, 4, 1, 4, 30, 0, 250_000, tzinfo=UTC)

    read = TypeAdapter(ZonedInstant).validate_json(json.dumps(given))

    assert (read, read.tzinfo) == (in_utc, UTC)
    assert (
        TypeAdapter(ZonedInstant)
        .validate_python(in_utc.astimezone(timezone(timedelta(hours=9))))
        .tzinfo
        is UTC
    )


def test_a_naive_datetime_is_no_instant_and_a_datetime_no_date() -> None:
    with pytest.raises(ValidationError, match="not a local time"):
        TypeAdapter(ZonedInstant).validate_python(datetime(2025, 3, 31))
    with pytest.raises(ValidationError, match="YYYY-MM-DD"):
        TypeAdapter(LocalDate).validate_python(datetime(2025, 3, 31, tzinfo=UTC))
    assert TypeAdapter(LocalDate).validate_python(date(2025, 3, 31)) == date(2025, 3, 31)


def test_arithmetic_keeps_every_digit_until_it_is_quantised() -> None:
    list_price = Money.of("99999999999999.999999", "USD")

    cut = list_price.times(Decimal("0.123456789012345678"))

    assert cut.amount == Decimal("12345678901234.567799876543210987654322")
    assert cut.quantised().model_dump(mode="json")["amount"] == "12345678901234.57"
    assert list_price.minus(list_price).amount == 0
    assert list_price.plus(Money.of("0.000001", "USD")).amount == Decimal(10) ** 14


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("2.5", "JPY", "2"),
        ("3.5", "JPY", "4"),
        ("1.0005", "KWD", "1.000"),
        ("1.00015", "CLF", "1.0002"),
        ("0.125", "USD", "0.12"),
        ("0.135", "EUR", "0.14"),
        ("-0.125", "XYZ", "-0.12"),
        ("7", "USD", "7.00"),
    ],
)
def test_money_is_rounded_half_to_even_to_the_minor_unit(
    amount: str, currency: str, expected: str
) -> None:
    assert Money.of(amount, currency).quantised().model_dump(mode="json")["amount"] == expected


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("0.125", "USD", 12),
        ("0.135", "USD", 14),
        ("3.5", "JPY", 4),
        ("1.0005", "KWD", 1000),
        ("-7", "EUR", -700),
        ("12345678901234567890123456789012.345", "USD", 1234567890123456789012345678901234),
    ],
)
def test_money_in_minor_units_is_money_rounded(amount: str, currency: str, units: int) -> None:
    exact = Money.model_construct(amount=Decimal(amount), currency=currency)

    assert minor_units(exact.amount, currency) == units
    assert Money.of_minor_units(units, currency) == exact.quantised()


def test_money_is_compared_and_added_within_one_currency_only() -> None:
    one, two = Money.of("1.0", "USD"), Money.of("2", "USD")
    euro = Money.of("1.0", "EUR")

    same = Money.of("1.00", "USD")
    assert (one < two, two < one, one < same) == (True, False, False)
    assert (one <= two, two <= one, one <= same) == (True, False, True)
    assert (one > two, two > one, one > same) == (False, True, False)
    assert (one >= two, two >= one, one >= same) == (False, True, True)
    assert one == same
    assert one != euro
    for compare in (Money.__lt__, Money.__le__, Money.__gt__, Money.__ge__):
        with pytest.raises(CurrencyMismatchError, match="USD and EUR"):
            compare(one, euro)
    for combine in (Money.plus, Money.minus):
        with pytest.raises(CurrencyMismatchError, match="USD and EUR"):
            combine(one, euro)


def test_a_result_is_written_without_an_exponent() -> None:
    tiny = Money.of("0.000001", "USD").times(Decimal("0.10"))

    assert tiny.model_dump_json() == '{"amount":"0.00000010","currency":"USD"}'


def test_money_does_not_change() -> None:
    money = Money.of("1", "USD")

    with pytest.raises(ValidationError, match="frozen"):
        money.amount = Decimal(2)  # type: ignore[misc]  # the refusal is what is tested
