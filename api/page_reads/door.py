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
from api.identity.permissions import TABLE, Action, Identity, may
from api.identity.reach import Reach
from api.moment import Moment
from api.storage.errors import LogUnavailableError
from api.storage.log_reader import LogReader
from api.views import Views
from api.web import format as f
from api.web.reads import BadQuestionError, NoSuchPageError, NotForYouError, NotNowError
from api.web.vocabulary import ROLES


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
        if not may(reader, action):
            raise NotForYouError(_not_for(reader, action))
        with refused_as_pages():
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


def _not_for(reader: Identity, action: Action) -> str:
    """Say why somebody may not: their role does not, or their key was made for less."""
    by_role = action in TABLE[reader.role]
    who = "This key" if by_role else f"The role of {ROLES[reader.role].lower()}"
    return f"{who} does not allow it: {f.words_of(action).lower()}."


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
