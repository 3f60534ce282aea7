"""How figures read on a page: money with its currency, dates, shares, and what is not known.

Answers hold sentences that were made for the API too, with figures as a program reads them and
people by their ids. `sentence` and `event_words` write those as everything else on a page.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from domain.values import Money
from projections.wording import Break, Contact, Person, Piece, Portion, Wording, pieces_of

UNKNOWN: Final = "unknown"
MINUS: Final = "\N{MINUS SIGN}"
NO_REASON: Final = "nothing was recorded"
NOBODY: Final[Mapping[str, str]] = MappingProxyType({})
SYMBOLS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1_000)
_MINUTES_A_DAY: Final = 1440
_LONG: Final = 400
_BEGINNING: Final = 300
"""Characters that are read at a glance; a text is folded where that saves more than a line."""
_DAY: Final = r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_DAY_OR_INSTANT: Final = re.compile(rf"{_DAY}(?P<time>T[0-9:.]+(?:Z|[+-][0-9:]+))?")
_BETWEEN_NAMES: Final = re.compile(r"[-_.]")
_WHEN_OF_SENTENCE: Final = re.compile(
    rf"\b{_DAY}(?:T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}[0-9.]*(?:Z|[+-][0-9]{{2}}:[0-9]{{2}}))?(?!\w)"
)


def unknown(reason: str = NO_REASON) -> str:
    """What stands where a figure would: never 0, and never without the reason."""
    return f"{UNKNOWN}: {reason}"


def money(value: Mapping[str, Any] | None, reason: str = NO_REASON) -> str:
    """`$30,000`; pence and cents only where there are some."""
    if value is None:
        return unknown(reason)
    amount = Decimal(value["amount"])
    exact = f"{abs(amount):,f}"
    text = f"{abs(amount):,.2f}".removesuffix(".00") if amount == round(amount, 2) else exact
    return _with_currency(amount, text, value)


def short_money(value: Mapping[str, Any] | None, reason: str = NO_REASON) -> str:
    """`$1.16M` or `$45k`: for cards and column heads, where the exact figure is a click away."""
    if value is None:
        return unknown(reason)
    amount = Decimal(value["amount"])
    size = abs(amount)
    if size >= _MILLION * Decimal("0.9995"):
        text = f"{size / _MILLION:,.2f}M"
    elif size >= _THOUSAND:
        text = f"{size / _THOUSAND:,.0f}k"
    else:
        text = f"{size:,.0f}"
    return _with_currency(amount, text, value)


def money_list(values: Sequence[Mapping[str, Any]], reason: str = "no amounts recorded") -> str:
    """Each currency for itself: sums across currencies would be invented."""
    return " + ".join(short_money(value) for value in values) if values else unknown(reason)


def percent(share: float | Decimal | str | None, reason: str = NO_REASON) -> str:
    """A ratio of 0 to 1 as `75%`, with one place where it has one."""
    return unknown(reason) if share is None else percentage(Decimal(str(share)) * 100)


def percentage(value: float | Decimal | str | None, reason: str = NO_REASON) -> str:
    """What is already in per cent, as `25%`."""
    if value is None:
        return unknown(reason)
    rounded = Decimal(str(value)).quantize(Decimal("0.1"))
    return f"{rounded.to_integral_value() if rounded == rounded.to_integral_value() else rounded}%"


def ratio(value: float | Decimal | str | None, reason: str = NO_REASON) -> str:
    """A plain number to two places, as pressure is shown."""
    return unknown(reason) if value is None else f"{Decimal(str(value)):.2f}"


def day(value: str | date | None, reason: str = NO_REASON) -> str:
    """`30 Sep 2026`, from a date or an instant."""
    if value is None:
        return unknown(reason)
    moment = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{moment.day} {moment:%b %Y}"


def weekday(value: str | datetime) -> str:
    """`Thursday, 26 Nov 2026`."""
    at = instant(value)
    return f"{at:%A}, {day(at.date())}"


def day_of(value: str | datetime) -> date:
    """The day of an instant, in the one zone that pages show."""
    return instant(value).date()


def moment(value: str | datetime | None, reason: str = NO_REASON) -> str:
    """`30 Sep 2026, 17:00 UTC`."""
    if value is None:
        return unknown(reason)
    at = instant(value)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def instant(value: str | datetime) -> datetime:
    """Reads RFC 3339 into UTC, the one zone that pages show."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    if at.tzinfo is None:
        message = f"the instant {value} names no zone"
        raise ValueError(message)
    return at.astimezone(UTC)


def written(text: str) -> str:
    """A word of an answer: a day or an instant as pages write it, all else as it is."""
    found = _DAY_OR_INSTANT.fullmatch(text)
    if found is None:
        return text
    try:
        return moment(text) if found["time"] else day(text)
    except ValueError:
        return text


def sentence(text: str, people: Mapping[str, str] = NOBODY) -> str:
    """What the product concluded, with dates, signs, per cents and people as pages write them."""
    return "".join(
        _signed(piece) if isinstance(piece, str) else _piece(piece, people)
        for piece in pieces_of(text)
    )


def _signed(text: str) -> str:
    dated = _WHEN_OF_SENTENCE.sub(lambda found: written(found[0]), text)
    return re.sub(r"(?<![\w-])-(?=[0-9])", MINUS, re.sub(r"(?<=[0-9]) %", "%", dated))


def event_words(text: str, people: Mapping[str, str] = NOBODY) -> str:
    """The title or detail of an event, with its amounts, dates and people as pages write them.

    Only the typed pieces of a `Wording` are; what somebody wrote stays as it was written.
    """
    told = ""
    for piece in pieces_of(text):
        # What ends as a sentence has its full stop already.
        ended = isinstance(piece, Break) and told.endswith(".")
        told += " " if ended else _piece(piece, people)
    return told


def _piece(piece: Piece, people: Mapping[str, str]) -> str:
    match piece:
        case Person(id=who):
            return people.get(who, who)
        case Contact(id=who):
            return contact(who)
        case Money(amount=amount, currency=currency):
            return money({"amount": amount, "currency": currency})
        case Portion(share=share):
            return percent(share)
        case date():
            return day(piece)
        case _:
            return str(Wording(piece))


def contact(told: str) -> str:
    """Somebody at the customer: `Nora Vance` for the id `nora-vance`, and any other as it is told.

    They are of no register, so that an id is all there is; the ledger and its exports have it.
    """
    parts = _BETWEEN_NAMES.split(told)
    named = len(parts) > 1 and all(part.isalpha() and part.islower() for part in parts)
    return " ".join(part.capitalize() for part in parts) if named else told


def told_apart(ids: Iterable[str], names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What each person of a list is asked for by, and what stands beside it.

    That is the name, and the id of who shares it with somebody.
    """
    called = Counter(name.casefold() for name in names.values())
    pairs = ((who, names.get(who, who)) for who in ids)
    return tuple(
        (who, name) if called[name.casefold()] > 1 or name in names else (name, who)
        for who, name in pairs
    )


def duration(value: timedelta) -> str:
    """The two largest units: `3 days 4 h`, `2 h 5 min`, `less than a minute`."""
    days, minutes = divmod(int(abs(value).total_seconds() // 60), _MINUTES_A_DAY)
    hours, minutes = divmod(minutes, 60)
    parts = [
        count(days, "day") if days else "",
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
    ]
    return " ".join([part for part in parts if part][:2]) or "less than a minute"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 day`, `3 days`, `1,204 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """`512 bytes`, `12 KiB`, `1.4 MiB`: how large a file is."""
    if number < 1 << 10:
        return count(number, "byte")
    unit, name = (1 << 20, "MiB") if number >= 1 << 20 else (1 << 10, "KiB")
    return f"{number / unit:,.1f}".removesuffix(".0") + f" {name}"


def name_of(thing: Mapping[str, Any] | str | None, reason: str = "none is recorded") -> str:
    """The name of something that may be given as its id, or as id and name."""
    if thing is None:
        return unknown(reason)
    if isinstance(thing, str):
        return thing
    return str(thing.get("name") or thing["id"])


def short_name(name: str, account: str) -> str:
    """A deal's name without the account's in front, which stands beside it."""
    rest = name.removeprefix(account).lstrip(" :-\N{EN DASH}\N{EM DASH}")
    return rest if rest and name.startswith(account) else name


def words_of(identifier: str) -> str:
    """`meet_dm` as `Meet dm`: what to call a thing of which only the id was sent."""
    text = identifier.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def _with_currency(amount: Decimal, text: str, value: Mapping[str, Any]) -> str:
    symbol = SYMBOLS.get(value["currency"])
    sign = MINUS if amount < 0 else ""
    return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {value['currency']}"


def folded(text: str) -> tuple[str, str]:
    """The beginning of a text and its rest, which is empty where the whole is short enough."""
    if len(text) <= _LONG:
        return text, ""
    gap = text.rfind(" ", _BEGINNING // 2, _BEGINNING)
    cut = _BEGINNING if gap < 0 else gap
    return text[:cut], text[cut:]


FILTERS: Final = {
    "folded": folded,
    "money": money,
    "short_money": short_money,
    "money_list": money_list,
    "percent": percent,
    "percentage": percentage,
    "ratio": ratio,
    "day": day,
    "moment": moment,
    "weekday": weekday,
    "count": count,
    "size": size,
    "name_of": name_of,
    "words_of": words_of,
}
