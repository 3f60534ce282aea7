"""What the pages get of the application: plain answers, shaped as the API gives them, or errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from api.web.format import size

Answer: TypeAlias = Mapping[str, Any]


class PageError(Exception):
    """A question that has no page as its answer; the message is shown to the reader."""

    status = 500
    title = "This page cannot be shown"


class NoSuchPageError(PageError):
    """There is no such deal, or none that this reader may know of."""

    status = 404
    title = "Not found"


class NotForYouError(PageError):
    """The reader's role does not show this."""

    status = 403
    title = "This is not shown to you"


class BadQuestionError(PageError):
    """The question itself is wrong: an instant that cannot be read, or one in the future."""

    status = 422
    title = "This question cannot be answered"


class TooLargeError(PageError):
    """More was sent than is read."""

    status = 413
    title = "This is too large"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {size(most)} are taken. Nothing of it was kept.")


class NotNowError(PageError):
    """What answers is away or behind; the same question is answered shortly."""

    status = 503
    title = "Not available at this moment"
    retry_after = 1
    """Seconds after which to ask again."""


class FormError(PageError):
    """What was filled in cannot be done; the form is shown again as it was filled in.

    `field` says where, `errors` are all fields that are wrong, each with what is wrong with it.
    """

    status = 422

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        status: int = 422,
        errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.field = field
        self.status = status
        self.errors = errors or ([(field, detail)] if field else [])


class MovedOnError(FormError):
    """Somebody was first: the deal has events that the page of the form did not show."""


class SentBeforeError(FormError):
    """The same form was sent before with something else in it, and that was recorded."""


@dataclass(frozen=True, slots=True)
class QuarterAsked:
    """What a page about a quarter asks for, as its address has it; None asks for the default."""

    as_of: str | None = None
    effective_at: str | None = None
    quarter: str | None = None
    rep: str | None = None
    team: str | None = None
