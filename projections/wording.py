"""Texts about events which know what in them is a person, an amount, a day or a share.

A program reads a wording as the text that it is. A page writes its typed parts as it writes them
everywhere, and leaves the rest alone: that may be what somebody wrote.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self, TypeAlias

from domain.values import Money, decimal_text


@dataclass(frozen=True, slots=True)
class Person:
    """A colleague, by id. People at the customer are none: their ids are of no register."""

    id: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at the customer, by the id or the name that was told."""

    id: str


@dataclass(frozen=True, slots=True)
class Portion:
    """Of a whole: 0.25 is a quarter."""

    share: Decimal


@dataclass(frozen=True, slots=True)
class Break:
    """Where one thing that was told ends and another begins."""


Piece: TypeAlias = str | Person | Contact | Money | Portion | Break | date


class Wording(str):
    """A text with its pieces; what it is put together of may be wordings themselves."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    def __new__(cls, *pieces: Piece) -> Self:
        """Put pieces together, in their order."""
        flat = tuple(inner for piece in pieces for inner in pieces_of(piece))
        wording = super().__new__(cls, "".join(map(_plain, flat)))
        wording.pieces = flat
        return wording

    @classmethod
    def joined(cls, between: Piece, pieces: Iterable[Piece]) -> Self:
        """Put pieces together with another one between each two."""
        return cls(*[one for piece in pieces for one in (between, piece)][1:])


def pieces_of(text: Piece) -> Iterator[Piece]:
    """Give what a wording is made of; all else is one piece."""
    yield from text.pieces if isinstance(text, Wording) else (text,)


def _plain(piece: Piece) -> str:
    match piece:
        case Person(id=text) | Contact(id=text) | str(text):
            return text
        case Money(currency=currency, amount=amount):
            return f"{currency} {decimal_text(amount)}"
        case Portion(share=share):
            return decimal_text(share)
        case Break():
            return "; "
        case _:
            return piece.isoformat()
