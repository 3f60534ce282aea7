"""What is counted of the commits of this process, for whoever watches the server."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from prometheus_client import Counter, Histogram

from api.storage.requests import Appended, Verdict, VersionConflict

Collectors: TypeAlias = Sequence[Counter | Histogram]
_REQUESTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_OUTCOMES: Final = ("appended", "conflict", "duplicate", "refused")


class LogMetrics:
    """Counts what the group commit stores and refuses."""

    def __init__(self) -> None:
        self._appends = Counter(
            "dealtrail_appends",
            "Append requests by what the log answered; a refused one got no verdict.",
            ("outcome",),
            registry=None,
        )
        self._events = Counter(
            "dealtrail_events_appended", "Events that this process appended.", registry=None
        )
        self._batch = Histogram(
            "dealtrail_commit_requests",
            "Append requests that shared a commit.",
            buckets=_REQUESTS,
            registry=None,
        )
        self._seconds = Histogram(
            "dealtrail_commit_seconds",
            "Time that the database took to store a batch.",
            buckets=_SECONDS,
            registry=None,
        )
        self._outcomes = {name: self._appends.labels(name) for name in _OUTCOMES}

    def committed(self, sizes: Iterable[int], verdicts: Sequence[Verdict], seconds: float) -> None:
        """Count a batch: the events of each request, what was answered, and how long it took."""
        self._batch.observe(len(verdicts))
        self._seconds.observe(seconds)
        told = [_outcome(verdict) for verdict in verdicts]
        for name in set(told):
            self._outcomes[name].inc(told.count(name))
        stored = zip(sizes, told, strict=True)
        self._events.inc(sum(size for size, name in stored if name == "appended"))

    def imported(self, events: int, seconds: float) -> None:
        """Count what an import stored with one commit, and how long it took."""
        self._batch.observe(1)
        self._seconds.observe(seconds)
        self._outcomes["appended"].inc()
        self._events.inc(events)

    def refused(self, requests: int) -> None:
        """Count requests that the database refused or did not answer."""
        self._outcomes["refused"].inc(requests)

    def collectors(self) -> Collectors:
        """Give all of it, to be registered where it is told."""
        return (self._appends, self._events, self._batch, self._seconds)


def _outcome(verdict: Verdict) -> str:
    if isinstance(verdict, Appended):
        return "appended"
    return "conflict" if isinstance(verdict, VersionConflict) else "duplicate"
