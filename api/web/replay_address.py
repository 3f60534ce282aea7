"""What the address of a replay asks for, and the addresses of other instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.web import format as f
from api.web.asof import query_of
from api.web.reads import Answer, BadQuestionError
from projections.quarter.board_tape import instant_text


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the address is about the replay; instants as they were resolved."""

    at: datetime
    since: datetime | None
    cell: str | None


def asked_of(
    answer: Answer, *, at: str | None, since: str | None, second: str | None, cell: str | None
) -> Asked:
    """Read what was asked for; without an instant the last one of the replay.

    Raises:
        BadQuestionError: an instant cannot be read or lies outside the replay.
    """
    start, until = answer["start_at"], answer["until"]
    shown = _instant("at", at, start, until) if at else until
    if not at and second:
        shown = _second(second, start, until)
    return Asked(
        at=shown,
        since=_instant("from", since, start, until) if since else None,
        cell=cell,
    )


def _second(text: str, start: datetime, until: datetime) -> datetime:
    """Read a place of the scrubber: seconds after the quarter's beginning."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(10**8))):
        message = f"second: {text!r} is no number of seconds"
        raise BadQuestionError(message)
    return min(until, start + timedelta(seconds=int(text)))


def _instant(name: str, text: str, start: datetime, until: datetime) -> datetime:
    try:
        at = f.instant(text.strip().replace(" ", "+"))
    except ValueError as error:
        message = f"{name}: {text!r} is no instant such as {instant_text(until)}"
        raise BadQuestionError(message) from error
    if not start <= at <= until:
        message = f"{name}: {f.moment(at)} lies outside the replay, which goes from "
        message += f"{f.moment(start)} to {f.moment(until)}"
        raise BadQuestionError(message)
    return at


@dataclass(frozen=True, slots=True)
class Address:
    """Makes the addresses of a replay, with what is asked of it kept."""

    quarter: str
    at: datetime
    since: datetime | None
    hindsight: str
    as_of: str

    @property
    def path(self) -> str:
        return f"/replay/{self.quarter}"

    @property
    def of_at(self) -> str:
        """The instant shown, as addresses have it."""
        return instant_text(self.at)

    def fixed(self, at: datetime) -> str:
        """Give the address that shows the same for ever, of what is known at an instant."""
        return self.of(as_of=self.as_of or instant_text(at))

    def of(self, **changed: str | None) -> str:
        """Give the address with something else in it; None takes it away."""
        here = {
            "at": instant_text(self.at),
            "from": instant_text(self.since) if self.since else None,
            "hindsight": self.hindsight,
            "as_of": self.as_of,
        }
        return self.path + query_of({**here, **{k.strip("_"): v for k, v in changed.items()}})
