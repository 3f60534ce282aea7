"""The course of one generated deal: stages, ticks, evidence, dates, money, its end, corrections."""

from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from random import Random
from typing import Final
from uuid import UUID

from api.bench import facts
from api.bench.company import Company, Rep
from api.bench.facts import STAGES
from api.bench.working_time import DAY, date_of, milliseconds_of, text_of

LATE_SHARE: Final = 0.015
"""Share of events that the log is told days after they happened."""
CORRECTED_SHARE: Final = 0.12
"""Share of deals in which one event is amended or retracted."""

_LATE_DAYS: Final = 12
_CATEGORIES: Final = ("pipeline", "best_case", "most_likely", "commit")
_GIVEN_UP: Final = (0.16, 0.13, 0.12, 0.12, 0.14)
"""Share of deals that end in each stage without a win."""
_PUNCTUAL: Final = 2
"""Every second event is of a kind that is always told at once."""
_AMENDED: Final = ("deal.amount_changed.", "deal.discount_offered.", "deal.deal_won.")
_RETRACTED: Final = ("deal.activity_ticked.", "deal.outcome_evidenced.", "deal.note_added.")
_RECORDED: Final = attrgetter("recorded")
_QUARTER: Final = 65 * DAY
_HURRY: Final = 8 * DAY
"""Near its quarter's end a deal is dated earlier and made cheaper."""


@dataclass(slots=True)
class Entry:
    """One event: when it happened, when the log was told, by whom, and what."""

    occurred: int
    recorded: int
    actor: str
    what: str


class Course:
    """Lives through a deal, from its opening to its end and what is said after it."""

    def __init__(self, company: Company, number: int, *, opened: int) -> None:
        name = f"{company.seed}/deal/{number}"
        self.stream = (
            f"deal:{UUID(bytes=blake2b(name.encode(), digest_size=16).digest(), version=4)}"
        )
        self._number = number
        self._company = company
        self._random = Random(name).random  # noqa: S311 - a simulation, not a secret
        self._now = opened
        self._owner = self._somebody()
        self._entries: list[Entry] = []
        self._late: list[Entry] = []
        self._commitments = 0
        self._discount = 0
        self._category = 0
        self._amount = 500 * (8 + int(self._random() ** 3 * 600))
        self._close = opened + int((45 + 60 * self._random()) * DAY)

    def rows(self) -> list[tuple[int, str]]:
        """Give the deal's rows in the order in which they are recorded, each with its second."""
        self._live()
        self._entries.sort(key=_RECORDED)
        if self._happens(CORRECTED_SHARE):
            self._correct()
        return [self._row(entry, version) for version, entry in enumerate(self._entries, start=1)]

    def _row(self, entry: Entry, version: int) -> tuple[int, str]:
        second = entry.recorded
        recorded = text_of(second)
        occurred = recorded if entry.occurred == second else text_of(entry.occurred)
        event_id = event_id_of(second, version, self._number)
        return second, (
            f"{self.stream}\t{version}\t{event_id}\t{occurred}\t{recorded}\t{entry.actor}"
            f"\t{entry.what}"
        )

    def _live(self) -> None:
        opening = facts.opened(
            f"Deal {self._number}",
            self._number,
            owner=self._owner.id,
            amount=self._amount,
            close_date=date_of(self._close),
        )
        self._tell(opening)
        if not self._through_stages():
            self._lose()
            if self._happens(0.03):
                self._again()
            return
        reversed_later = self._happens(0.02)
        self._win(final=not reversed_later)
        if reversed_later:
            self._wait(20)
            self._turn(facts.REVERSED)
            self._wait(10)
            self._lose()

    def _again(self) -> None:
        """Open a lost deal a second time, for half of the stages."""
        self._wait(30)
        self._turn(facts.REOPENED)
        for stage, _ in STAGES[2:]:
            self._wait(4)
            self._tell(facts.stage_entered(stage))
        self._win()

    def _through_stages(self) -> bool:
        """Give whether the deal comes through all stages without being given up."""
        for (stage, activities), given_up in zip(STAGES, _GIVEN_UP, strict=True):
            if self._happens(0.06) and stage != STAGES[0][0]:
                continue
            self._wait(1.5)
            self._tell_perhaps_late(facts.stage_entered(stage))
            for activity in activities:
                self._work_on(activity)
            self._price_and_date()
            if self._happens(given_up):
                return False
        return True

    def _work_on(self, activity: str) -> None:
        draw = self._random
        self._wait(3.5)
        self._tell(facts.noted(int(draw() * len(facts.NOTED))))
        if self._happens(0.85):
            self._wait(0.3)
            self._tell_perhaps_late(facts.ticked(activity))
        if self._happens(0.7):
            self._wait(2)
            self._tell_perhaps_late(
                facts.evidenced(activity, 1 + int(draw() * 3)), after_closing=True
            )
        if self._happens(0.3):
            self._wait(3)
            self._tell_perhaps_late(facts.evidenced(activity, 4), after_closing=True)
        if self._happens(0.2):
            topic = facts.REQUESTS[int(draw() * len(facts.REQUESTS))]
            self._tell_perhaps_late(facts.requested(topic), after_closing=True)
        if self._happens(0.35):
            self._commitment()

    def _commitment(self) -> None:
        self._commitments += 1
        number = self._commitments
        self._tell(facts.committed(number, date_of(self._now + 7 * DAY)))
        if self._happens(0.8):
            self._wait(4)
            kept = self._happens(0.75)
            self._tell(facts.kept(number) if kept else facts.broken(number))

    def _price_and_date(self) -> None:
        draw = self._random
        self._wait(1)
        if self._now > self._owner.leaves:
            self._owner = self._somebody()
            self._tell(facts.owner_changed(self._owner.id), by="operations")
        elif self._happens(0.03):
            self._hand_over()
        if self._happens(0.25):
            self._change_amount(0.8 + 0.4 * draw())
        if self._happens(0.5):
            self._category = (self._category + 1) % len(_CATEGORIES)
            self._tell(facts.category_changed(_CATEGORIES[self._category]))
        left = _QUARTER - self._now % _QUARTER
        if left < _HURRY:
            self._hurry(left)
        elif self._close < self._now + 10 * DAY or self._happens(0.15):
            self._date(self._close + int((8 + 30 * draw()) * DAY))

    def _change_amount(self, factor: float) -> None:
        amount = 500 * (int(self._amount / 500 * factor) + 1)
        if amount != self._amount:
            self._amount = amount
            self._tell_perhaps_late(facts.amount_changed(amount))

    def _hurry(self, left: int) -> None:
        """Date the deal into the quarter, and make it cheaper, asked or not."""
        if self._close > self._now + left:
            self._date(self._now + left - DAY)
        if self._happens(0.5):
            self._discount = min(40, self._discount + 5 + int(self._random() * 3) * 5)
            asker = "customer" if self._happens(0.3) else "rep"
            self._tell_perhaps_late(facts.discount_offered(self._discount, asker))

    def _date(self, close: int) -> None:
        if date_of(close) != date_of(self._close):
            self._close = close
            self._tell_perhaps_late(facts.close_date_moved(date_of(close)))

    def _hand_over(self) -> None:
        other = self._somebody()
        if other is not self._owner:
            self._owner = other
            self._tell(facts.owner_changed(other.id), by="operations")

    def _win(self, *, final: bool = True) -> None:
        self._wait(5)
        net = self._amount * (100 - self._discount) // 100
        self._turn(facts.won(net, self._amount, date_of(self._now)))
        if final and self._happens(LATE_SHARE):
            self._delay(self._entries[-1])
        for say in (facts.ACHIEVED, facts.PRESSED if self._discount else facts.FEEDBACK):
            if self._happens(0.5):
                self._wait(15)
                self._tell(say)

    def _lose(self) -> None:
        self._wait(3)
        self._turn(facts.DISQUALIFIED if self._happens(0.25) else facts.LOST)

    def _turn(self, what: str) -> None:
        # A closed deal takes no more of these, so who was late tells them before it is closed.
        for entry in self._late:
            entry.recorded = min(entry.recorded, self._now)
        self._late.clear()
        self._tell(what)

    def _tell(self, what: str, *, by: str | None = None) -> None:
        self._now += 2
        self._entries.append(Entry(self._now, self._now, by or self._owner.id, what))

    def _tell_perhaps_late(self, what: str, *, after_closing: bool = False) -> None:
        """Tell it, now and then days later; `after_closing` if a closed deal takes it as well."""
        self._tell(what)
        if self._happens(LATE_SHARE * _PUNCTUAL):
            self._delay(self._entries[-1])
            if not after_closing:
                self._late.append(self._entries[-1])

    def _delay(self, entry: Entry) -> None:
        entry.recorded += (1 + int(self._random() * _LATE_DAYS)) * DAY

    def _correct(self) -> None:
        """Amend or retract one event, hours or days after it was recorded."""
        kinds = _AMENDED if self._happens(0.5) else _RETRACTED
        likely = [
            (version, entry)
            for version, entry in enumerate(self._entries, start=1)
            if entry.what.startswith(kinds)
        ]
        if not likely:
            return
        version, entry = likely[int(self._random() * len(likely))]
        event_id = event_id_of(entry.recorded, version, self._number)
        second = entry.recorded + 600 + int(self._random() * 6 * DAY)
        what = facts.correction(event_id, entry.what)
        self._entries.append(Entry(second, second, entry.actor, what))
        self._entries.sort(key=_RECORDED)

    def _happens(self, share: float) -> bool:
        return self._random() < share

    def _wait(self, days: float) -> None:
        """Let about so many working days pass."""
        self._now += 60 + int(self._random() * 2 * days * DAY)

    def _somebody(self) -> Rep:
        reps = self._company.active(self._now)
        return reps[int(self._random() * len(reps))]


def event_id_of(second: int, version: int, number: int) -> str:
    """Give the UUIDv7 of an event that nothing else of the history has."""
    return f"{milliseconds_of(second):012x}7{version:03x}8{number:015x}"
