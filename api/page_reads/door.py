"""The way in for every page: who may ask it, what lies in their reach, and at which moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import (
    ApplicationError,
    NotPermittedError,
    UnknownDealError,
    UnknownThingError,
    ViewsBehindError,
)
from api.identity.access import Access
from api.identity.accesses import Accesses
from api.identity.permissions import Action, Identity, ensure_may
from api.identity.reach import Reach
from api.moment import Moment
from api.storage.errors import LogUnavailableError
from api.storage.log_reader import LogReader
from api.views import Views
from api.web.reads import BadQuestionError, NoSuchPageError, NotForYouError, NotNowError


class Door:
    """Lets in who may read a page; the errors of the application become pages of their own."""

    def __init__(self, store: LogReader, views: Views, access: Access, accesses: Accesses) -> None:
        self._store = store
        self._views = views
        self.access = access
        self._accesses = accesses

    def enter(self, reader: Identity, action: Action, page: str) -> Reach:
        """Give what somebody may see on a page, and keep that an auditor reads it.

        Raises:
            NotForYouError: their role or their credential does not allow it.
        """
        with refused_as_pages():
            ensure_may(reader, action)
            if reader.role == "auditor":
                self._accesses.note(reader, "read", request=f"GET {page}", request_id="")
            return self.access.reach(reader)

    def moment(
        self, as_of: str | None, effective_at: str | None, *, stream: str | None = None
    ) -> Moment:
        """Resolve what a reader typed to a moment that the views have reached.

        Raises:
            BadQuestionError: it cannot be read, or lies in the future.
        """
        with refused_as_pages():
            return self._views.moment(as_of=as_of, effective_at=effective_at, stream=stream)

    @contextmanager
    def one_connection(self) -> Iterator[None]:
        """In this block a page asks all its questions over one connection."""
        with refused_as_pages(), self._store.one_connection():
            yield


@contextmanager
def refused_as_pages() -> Iterator[None]:
    """Raise what the application refuses as the page that says so."""
    try:
        yield
    except NotPermittedError as error:
        raise NotForYouError(error.detail) from error
    except (UnknownDealError, UnknownThingError) as error:
        raise NoSuchPageError(error.detail) from error
    except ViewsBehindError as error:
        raise NotNowError(error.detail) from error
    except ApplicationError as error:
        raise BadQuestionError(error.detail) from error
    except LogUnavailableError as error:
        # Not in the database's own words, which may name what is nobody's business.
        raise NotNowError("The log cannot be reached. Try again shortly.") from error
