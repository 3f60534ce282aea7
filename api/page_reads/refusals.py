"""What every form that records has in common: its key, what its page showed, and its refusals."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fastapi import Request

from api.errors import (
    ApplicationError,
    KeyReusedError,
    NotPermittedError,
    UnknownDealError,
    VersionMismatchError,
)
from api.http.notes import notes_of
from api.http.problems import RequestRefusedError, problem_of, request_id_of
from api.storage.errors import LogUnavailableError, StorageError
from api.web.reads import (
    BadQuestionError,
    FormError,
    MovedOnError,
    NoSuchPageError,
    NotForYouError,
    NotNowError,
    PageError,
    SentBeforeError,
)
from domain.errors import DomainError
from domain.replay import Event

KEY: Final = "key"
SEEN: Final = "seen"
EXPECTED: Final = (ApplicationError, DomainError, RequestRefusedError, StorageError)
"""What a write may be refused with."""
_KEY: Final = re.compile(r"[!-~]{16,200}")
_POSITION: Final = re.compile(r"[0-9]{1,18}")


def key_and_seen(form: Mapping[str, str]) -> tuple[str, int]:
    """Give the idempotency key of a form, and the position that its page stood at.

    Raises:
        BadQuestionError: the form did not arrive whole.
    """
    key, seen = form.get(KEY, ""), form.get(SEEN, "")
    if not _KEY.fullmatch(key) or not _POSITION.fullmatch(seen):
        raise BadQuestionError("This form did not arrive whole. Go back and send it again.")
    return key, int(seen)


def version_at(stream: Sequence[Event], seen: int) -> tuple[int, ...]:
    """Give the version of a stream that a page showed, by the position that the page stood at."""
    return (sum(event.position <= seen for event in stream),)


def refused(error: Exception, request: Request, field_of: Callable[[str], str]) -> PageError:
    """Note a refusal, and give what a page says of it: the API's own status, words and fields.

    `field_of` gives the field of the form that a path of the API's request names.
    """
    answer = problem_of(error, request_id=request_id_of(request))
    if answer is None:
        raise error
    problem = json.loads(bytes(answer.body))
    notes_of(request.scope).refusal = problem["code"]
    detail, errors = problem["detail"], problem["errors"]
    match error:
        case UnknownDealError():
            return NoSuchPageError(detail)
        case NotPermittedError(field=None):
            return NotForYouError(detail)
        case LogUnavailableError():
            return NotNowError(f"{detail[:1].upper()}{detail[1:]}.")
        case _:
            pass
    kinds = {VersionMismatchError: MovedOnError, KeyReusedError: SentBeforeError}
    kind = next((kinds[one] for one in kinds if isinstance(error, one)), FormError)
    named = [(field_of(one["field"]), one["detail"]) for one in errors]
    return kind(detail, status=problem["status"], errors=named)
