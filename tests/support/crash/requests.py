"""What clients send, and what they were told: the only witness of what must be in the log."""

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any, Final

from domain.events.catalogue import TYPES_BY_NAME, parse

_MOMENTS: Final = itertools.count(1)
"""Counts what happens in this process: who was told before another asked has a lower number."""

Event = dict[str, Any]


def moment() -> int:
    return next(_MOMENTS)


def expected_data(event: Event) -> str:
    """The bytes that the log must hold of an event that was sent."""
    return parse(TYPES_BY_NAME[event["type"]], event["data"]).to_json().decode()


@dataclass(slots=True)
class Asked:
    """One request under one key; a line of a bulk request is one, too.

    `line` is the number of the line in its request, 0 for a request of its own.
    """

    key: str
    path: str
    body: bytes
    events: list[Event]
    first_sent: int
    if_match: int | None = None
    line: int = 0
    answer: bytes = b""
    status: int = 0
    answered: int = 0

    def told(self, status: int, answer: bytes) -> str | None:
        """Keep the first answer; give what is wrong with a later one."""
        if not self.status:
            self.status, self.answer, self.answered = status, answer, moment()
            return None
        if (status, answer) == (self.status, self.answer):
            return None
        return f"{self.key}: {self.status} {self.answer!r} became {status} {answer!r}"

    @property
    def acknowledged(self) -> bool:
        return self.status == 201

    def positions(self) -> list[int]:
        return [event["position"] for event in json.loads(self.answer)["events"]]


@dataclass(slots=True)
class Book:
    """All that was asked and told in a run, by all clients."""

    lock: Lock = field(default_factory=Lock)
    asked: list[Asked] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    rivals: dict[str, int | None] = field(default_factory=dict)
    """Where the event under each key of the rival is, None where it was told nothing."""
    acknowledged: int = 0

    def open(self, *asked: Asked) -> None:
        with self.lock:
            self.asked += asked

    def close(self, asked: Asked, status: int, answer: bytes) -> None:
        """Note an answer that settles a request."""
        new = not asked.status
        complaint = asked.told(status, answer)
        with self.lock:
            self.acknowledged += new and asked.acknowledged
            if complaint:
                self.wrong.append(complaint)
            if new and asked.acknowledged:
                deal = json.loads(answer)["deal_id"]
                if deal not in self.deals:
                    self.deals.append(deal)

    def complain(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)

    def some_deal(self, chance: Random) -> str | None:
        with self.lock:
            return chance.choice(self.deals) if self.deals else None


def something(chance: Random) -> Event:
    """An event that is unlike every other: a note, maybe a long one, or what a projection shows."""
    if chance.random() < 0.4:
        amount = {"amount": f"{chance.randrange(10**7)}.{chance.randrange(100):02}"}
        return {"type": "amount_changed", "data": {"amount": amount | {"currency": "USD"}}}
    size = chance.choice([3, 3, 3, 40, 400])
    words = " ".join(f"{chance.getrandbits(64):x}" for _ in range(size))
    return {"type": "note_added", "data": {"text": f'Called "{words}" \\ \t é'}}


def opening(chance: Random) -> Event:
    name = f"Renewal {chance.getrandbits(32):x}"
    account = {"id": f"a{chance.randrange(20)}", "name": "Acme"}
    # Named, because the log names it anyway: what is sent is what must be there.
    process = {"id": "default", "version": 1}
    data = {"name": name, "account": account, "owner": "ann", "process": process}
    return {"type": "deal_opened", "data": data}
