"""A worker in a thread of the test, where one of a server's own would only take longer to start."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread

from api.worker import Worker


@contextmanager
def in_thread(worker: Worker) -> Iterator[None]:
    """Keep the views up to date until the block ends."""
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
