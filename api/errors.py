"""What the application refuses beyond the model's own rules, one class for each kind."""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class ApplicationError(Exception):
    """The application refuses; `detail` says what and why, `field` where in the request."""

    code: ClassVar[str]

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class UnknownDealError(ApplicationError):
    """There is no such deal, or none that the caller may see: both answer alike."""

    code = "unknown_deal"


class NotPermittedError(ApplicationError):
    """Whoever asks may not do this at all, whatever it concerns."""

    code = "not_permitted"


class UnknownThingError(ApplicationError):
    """There is no such process, quota or quarter."""

    code = "unknown"


class MalformedRequestError(ApplicationError):
    """The request cannot be read; `errors` name each field and what is wrong with it."""

    code = "malformed"

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail, field=field)
        self.errors = list(errors)


class KeyReusedError(ApplicationError):
    """The idempotency key was used before, for another request."""

    code = "idempotency_key_reused"


class VersionMismatchError(ApplicationError):
    """Somebody was first: the deal has moved on from the version that the client named."""

    code = "version_mismatch"

    def __init__(self, detail: str, *, current_version: int) -> None:
        super().__init__(detail)
        self.current_version = current_version


class BeyondTheLogError(ApplicationError):
    """The question is about an instant or a position that has not come yet."""

    code = "beyond_the_log"


class TooManyWaitingError(ApplicationError):
    """As many uploads wait to be imported as may; ask again later."""

    code = "too_many_at_once"


class ViewsBehindError(ApplicationError):
    """The projections have not reached the position asked for in time; ask again shortly."""

    code = "views_behind"


class ContendedError(ApplicationError):
    """Others wrote to the stream first, as often as it was tried; ask again shortly."""

    code = "contended"
