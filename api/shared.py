"""Makes once what several ask for at the same time, and keeps it for a moment."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from api.clock import Deadline

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Shared(Generic[Key, Made]):
    """What was made under each key; whoever asks while it is being made waits for it.

    A key names everything that what is made depends on, but for the time: it stands for so many
    `seconds` from when its making began, and until it is made. At most so many keys are kept.
    """

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Key, tuple[Deadline, Future[Made]]] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        """Give what was made under a key, or make it; whoever waits gets the error of the making.

        An error is not kept: the next to ask makes it again.
        """
        with self._lock:
            self._forget_old()
            found = self._kept.get(key)
            if found is None:
                own: Future[Made] = Future()
                self._kept[key] = (Deadline.after(self._seconds), own)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found[1].result() if found else self._make(key, own, make)

    def _make(self, key: Key, own: "Future[Made]", make: Callable[[], Made]) -> Made:
        try:
            made = make()
        except BaseException as error:
            own.set_exception(error)
            with self._lock:
                if self._kept.get(key, (None, None))[1] is own:
                    del self._kept[key]
            raise
        own.set_result(made)
        return made

    def _forget_old(self) -> None:
        """Forget what was made and does not stand any more."""
        old = [key for key, (end, made) in self._kept.items() if end.passed() and made.done()]
        for key in old:
            del self._kept[key]
