"""The days that a table states: those on which something happened, and those that are expected."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Span:
    """The first and the last of some days that a file states."""

    first: date | None = None
    last: date | None = None

    def take(self, day: date) -> None:
        self.first = min(self.first or day, day)
        self.last = max(self.last or day, day)


@dataclass(slots=True)
class Days:
    """The days of a file: when something happened, and what open deals expect.

    What is expected says that a deal was there before only where nothing else says when any was,
    and never of a day that was not `over` when the file was read.
    """

    over: date
    happened: Span = field(default_factory=Span)
    passed: Span = field(default_factory=Span)
    ahead: Span = field(default_factory=Span)

    def expect(self, day: date) -> None:
        (self.passed if day <= self.over else self.ahead).take(min(day, self.over))

    @property
    def span(self) -> Span:
        return next((one for one in (self.happened, self.passed, self.ahead) if one.first), Span())
