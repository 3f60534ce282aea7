"""What is asked about a sales process and the deals that follow it, as of any instant."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from psycopg import sql

from api.context import ContextReader
from api.errors import UnknownThingError
from api.moment import Moment
from api.places import Places
from api.storage.log_reader import LogReader
from domain.events.life import ProcessRef
from domain.events.progress import OutcomeEvidenced, StepFeedbackGiven
from domain.known import Known
from domain.process import Process
from domain.replay import Event, view
from projections.batch import DEAL_PREFIX, deal_of
from projections.facts import Rows
from projections.process.durations import HORIZON_DAYS, stages_json
from projections.process.effectiveness import (
    NOTE,
    Passage,
    passages_json,
    together,
    worths,
    worths_json,
)
from projections.process.lint import Experience, Finding, lint, unseen_outcomes, warnings_json
from projections.process.paths import Path, Stay, Tick, in_order
from projections.process.versions import Version, comparison_json, deals_json, fitness_json

Answer: TypeAlias = dict[str, object]
Fact = TypeVar("Fact")
# Both tables have a row for each deal, activity and stage: only what a path is made of is read, as
# a list for each field of a deal, which is far quicker than rows.
_STAYS: Final = """
    SELECT deal_id, array_agg(stage), array_agg(entered_at),
           array_agg(CASE WHEN left_at > %(cut)s THEN NULL ELSE left_at END)
      FROM stays
     WHERE from_position <= %(as_of)s AND (until_position IS NULL OR until_position > %(as_of)s)
       AND (%(cut)s::timestamptz IS NULL OR entered_at <= %(cut)s)
     GROUP BY deal_id
"""
_TICKS: Final = """
    SELECT deal_id, array_agg(activity), array_agg(from_at), array_agg(until_at),
           array_agg(reached_at)
      FROM ticks
     WHERE expressible
       AND from_position <= %(as_of)s AND (until_position IS NULL OR until_position > %(as_of)s)
       AND (%(cut)s::timestamptz IS NULL OR from_at <= %(cut)s)
     GROUP BY deal_id
"""


class ProcessQuestions:
    """Answers about processes; the views must have reached the moment."""

    def __init__(self, store: LogReader, context: ContextReader, places: Places) -> None:
        self._store = store
        self._context = context
        self._places = places

    def effectiveness(
        self, moment: Moment, process_id: str, *, version: int | None, against: int | None
    ) -> Answer:
        """Give what each activity of a version goes with, and how the version differs from another.

        By default it is the latest version, and the other one is that before it.

        Raises:
            UnknownThingError: there is no such process, or no such version of it.
        """
        known = self._context.known(moment.position)
        process = _version(known, process_id, version)
        other = _other(known, process, against)
        with self._store.connection() as connection:
            versions = self._versions(connection, moment, known, process_id)
            return self._effectiveness(connection, moment, versions, process, other)

    def behind(
        self, moment: Moment, process_id: str, activity: str, *, version: int | None
    ) -> Answer:
        """Give the deals that an activity's figures are made of.

        Raises:
            UnknownThingError: there is no such process, version or activity.
        """
        known = self._context.known(moment.position)
        process = _version(known, process_id, version)
        if activity not in process.activities:
            message = f"{process_id!r} has no activity {activity!r} in version {process.version}"
            raise UnknownThingError(message)
        with self._store.connection() as connection:
            this = self._versions(connection, moment, known, process_id)[process.version]
        return {
            **moment.answer(),
            "process": {"id": process.id, "version": process.version},
            "activity": activity,
            "stage": process.activities[activity][0].id,
            "deals": passages_json(this.passages(process)[activity]),
        }

    def lint(self, moment: Moment, process_id: str, *, version: int | None) -> Answer:
        """Say what makes a version of a process, by default the latest, hard to use.

        Raises:
            UnknownThingError: there is no such process, or no such version of it.
        """
        known = self._context.known(moment.position)
        process = _version(known, process_id, version)
        return _lint_json(moment, process, self.warnings(moment, process))

    def both(
        self, moment: Moment, process_id: str, *, version: int, against: int | None
    ) -> tuple[Answer, Answer]:
        """Give `lint` and `effectiveness` of a version, whose deals are read once for both.

        Raises:
            UnknownThingError: there is no such process, or no such version of it.
        """
        known = self._context.known(moment.position)
        process = _version(known, process_id, version)
        other = _other(known, process, against)
        with self._store.connection() as connection:
            versions = self._versions(connection, moment, known, process_id)
            found = self._warnings(connection, moment, versions, process)
            worth = self._effectiveness(connection, moment, versions, process, other)
        return _lint_json(moment, process, found), worth

    def warnings(self, moment: Moment, process: Process) -> list[Finding]:
        """Give what a process should do without, by what its deals had shown at a moment.

        The deals of all its versions count, each activity and outcome by its id: what nobody did
        under the last version will not be done because it was published again.
        """
        known = self._context.known(moment.position)
        with self._store.connection() as connection:
            versions = self._versions(connection, moment, known, process.id)
            return self._warnings(connection, moment, versions, process)

    def _warnings(
        self,
        connection: Rows,
        moment: Moment,
        versions: Mapping[int, Version],
        process: Process,
    ) -> list[Finding]:
        paths = [path for version in versions.values() for path in version.paths]
        seen = together(version.passages(process) for version in versions.values())
        evidenced = self._evidenced(connection, moment, process, seen, paths)
        since = _first_published(self._context.known(moment.position), process)
        return lint(process, Experience(moment.effective_at, paths, seen, evidenced, since))

    def _effectiveness(
        self,
        connection: Rows,
        moment: Moment,
        versions: Mapping[int, Version],
        process: Process,
        other: Process | None,
    ) -> Answer:
        this = versions[process.version]
        feedback = self._feedback(connection, moment, this)
        stages = [stage.id for stage in process.working_stages]
        told = worths_json(worths(this.passages(process), process))
        at = moment.effective_at
        return {
            **moment.answer(),
            "process": {"id": process.id, "version": process.version},
            "note": NOTE,
            "deals": deals_json(this),
            "activities": [
                {
                    **activity,
                    "feedback": _feedback_json(feedback.get(str(activity["activity"]), [])),
                }
                for activity in told
            ],
            "horizon_days": int(HORIZON_DAYS),
            "stages": stages_json(stages, this.paths, at),
            "fitness": fitness_json(this.fitnesses),
            "comparison": comparison_json(this, versions[other.version], at) if other else None,
        }

    def _versions(
        self, connection: Rows, moment: Moment, known: Known, process_id: str
    ) -> dict[int, Version]:
        """Give every version of a process with the deals that are judged by it."""
        judged = self._judged(connection, moment, known, process_id)
        # Of all deals: the ids of thousands take longer to send than what few others have to read.
        asked = {"as_of": moment.position, "cut": moment.cut}
        stays = dict(_by_deal(connection, _STAYS, asked, Stay._make))
        ticks = dict(_by_deal(connection, _TICKS, asked, Tick._make))
        paths: dict[int, list[Path]] = {}
        for deal_id, (process, won) in judged.items():
            own = in_order(stays.get(deal_id, ()), process)
            path = Path(deal_id, won, own, ticks.get(deal_id, ()))
            paths.setdefault(process.version, []).append(path)
        return {
            process.version: Version(process, tuple(paths.get(process.version, ())))
            for process in known.catalogue.values()
            if process.id == process_id
        }

    def _judged(
        self, connection: Rows, moment: Moment, known: Known, process_id: str
    ) -> dict[UUID, tuple[Process, bool | None]]:
        """Give the deals that are judged by a process, each with its version and how it ended."""
        table = self._places.of(connection, moment).all_deals
        query = sql.SQL(
            "SELECT deal_id, process_id, process_version, opened_at, closed FROM {} t"
            " WHERE NOT deleted ORDER BY deal_id"
        ).format(table)
        found: dict[UUID, tuple[Process, bool | None]] = {}
        for deal_id, pinned, version, opened_at, closed in connection.execute(query):
            process = known.process_of(_reference(pinned, version), opened_at)
            if process.id == process_id:
                found[deal_id] = process, None if closed is None else closed == "won"
        return found

    def _feedback(
        self, connection: Rows, moment: Moment, version: Version
    ) -> dict[str, list[Event]]:
        """Give what people said of each activity, of the deals of a version, in order."""
        rows = connection.execute(
            "SELECT DISTINCT stream_id FROM events WHERE topic = %s AND position <= %s",
            (StepFeedbackGiven.TOPIC, moment.position),
        ).fetchall()
        asked = {path.deal_id for path in version.paths}
        told = {deal_of(stream) for (stream,) in rows}
        streams = self._places.streams(sorted(asked & told), moment.position)
        found: dict[str, list[Event]] = {}
        for stream in streams.values():
            for event in view(stream, effective_at=moment.cut):
                if isinstance(event.data, StepFeedbackGiven):
                    found.setdefault(event.data.activity, []).append(event)
        return {
            activity: sorted(told, key=lambda event: event.order)
            for activity, told in found.items()
        }

    def _evidenced(
        self,
        connection: Rows,
        moment: Moment,
        process: Process,
        seen: Mapping[str, Sequence[Passage]],
        paths: Iterable[Path],
    ) -> set[str]:
        """Give the outcomes that were ever shown at their required level.

        Where a deal that left their stage shows them they were; the others are looked for in the
        log, since an outcome may be evidenced without a tick. Evidence withdrawn counts as given.
        """
        missing = unseen_outcomes(process, seen)
        if not missing:
            return set(process.outcomes)
        rows = connection.execute(
            "SELECT outcome"
            " FROM unnest(%(outcomes)s::text[], %(levels)s::int[]) AS o(outcome, needed)"
            " WHERE EXISTS (SELECT FROM events e WHERE topic = %(topic)s AND position <= %(upto)s"
            " AND occurred_at <= %(cut)s AND data ->> 'outcome' = o.outcome"
            " AND (data ->> 'level')::int >= o.needed AND stream_id = ANY(%(streams)s))",
            {
                "outcomes": list(missing),
                "levels": list(missing.values()),
                "topic": OutcomeEvidenced.TOPIC,
                "upto": moment.position,
                "cut": "infinity" if moment.cut is None else moment.cut,
                "streams": [f"{DEAL_PREFIX}{path.deal_id}" for path in paths],
            },
        ).fetchall()
        return (set(process.outcomes) - set(missing)) | {row[0] for row in rows}


def _by_deal(
    connection: Rows, query: str, asked: Mapping[str, object], make: Callable[[Iterable[Any]], Fact]
) -> Iterator[tuple[UUID, tuple[Fact, ...]]]:
    """Give the facts of each deal, of which a query gives a list for each field."""
    for deal_id, *fields in connection.execute(query, asked).fetchall():
        yield deal_id, tuple(map(make, zip(*fields, strict=True)))


@lru_cache(maxsize=256)
def _reference(process_id: str | None, version: int | None) -> ProcessRef | None:
    """Give what a deal is pinned to; kept, since many deals are pinned to few versions."""
    if process_id is None or version is None:
        return None
    return ProcessRef(id=process_id, version=version)


def versions_of(known: Known, process_id: str, version: int | None) -> list[Process]:
    """Give the versions of a process, oldest first, or the one named.

    Raises:
        UnknownThingError: there is no such process, or no such version of it.
    """
    found = sorted(
        (p for p in known.catalogue.values() if p.id == process_id), key=lambda p: p.version
    )
    kept = [p for p in found if version in (None, p.version)]
    if not kept:
        wanted = f" in version {version}" if version else ""
        message = f"there is no process {process_id!r}{wanted}"
        raise UnknownThingError(message)
    return kept


def _version(known: Known, process_id: str, version: int | None) -> Process:
    return versions_of(known, process_id, version)[-1]


def _lint_json(moment: Moment, process: Process, found: Iterable[Finding]) -> Answer:
    return {
        **moment.answer(),
        "id": process.id,
        "version": process.version,
        "warnings": warnings_json(found),
    }


def _other(known: Known, process: Process, against: int | None) -> Process | None:
    """Give the version to compare with: the one named, else the one before, if there is one."""
    if against is not None:
        return _version(known, process.id, against)
    before = [p for p in versions_of(known, process.id, None) if p.version < process.version]
    return before[-1] if before else None


def _first_published(known: Known, process: Process) -> dict[str, datetime | None]:
    """Give when each activity first was in a version; None if in the built-in one."""
    told = {(p.id, p.version): at for p, _, at in known.publications}
    since: dict[str, datetime | None] = {}
    for version in known.catalogue.values():
        if version.id == process.id:
            at = told.get((version.id, version.version))
            for activity in version.activities:
                earlier = since.get(activity, at)
                since[activity] = None if earlier is None or at is None else min(earlier, at)
    return since


def _feedback_json(told: Sequence[Event]) -> Answer:
    return {
        "n": len(told),
        "reps": len({event.rep for event in told}),
        "statements": [
            {
                "event_id": str(event.event_id),
                "deal_id": event.stream_id.removeprefix(DEAL_PREFIX),
                "rep": event.rep,
                "occurred_at": event.occurred_at,
                "statement": event.data.statement,
            }
            for event in told
            if isinstance(event.data, StepFeedbackGiven)
        ],
    }
