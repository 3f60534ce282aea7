"""What is asked about one deal, as of any instant: the same folds that keep the views."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from api.answers import entry_json, late_because, late_json, logged_json, state_json
from api.context import ContextReader
from api.deal_seen import DealSeen, DealTold
from api.deals_told import DealsTold
from api.errors import UnknownDealError
from api.moment import Moment
from api.patterns import PatternReader
from api.places import Places
from api.storage.event_store import EventStore
from domain.commitments import Commitment
from domain.policy import Policy
from domain.replay import in_force
from projections.attainment.projection import ledger
from projections.commitments.answer import answer as commitments_answer
from projections.commitments.fold import fold as fold_commitments
from projections.facts import Rows
from projections.pressure.answer import answer as pressure_answer
from projections.pressure.answer import exposure_json, gap_json, judged_json
from projections.pressure.around import Explained, explain
from projections.pressure.context import KnownContext
from projections.pressure.deal_curve import deal_curve, quarters_of
from projections.pressure.exposure import Exposure, exposure
from projections.pressure.fold import Judged, judge
from projections.pressure.recording import Coverage
from projections.process.conformance import Ticked, conformance_of
from projections.process.conformance import answer as conformance_answer
from projections.progress.answer import answer as progress_answer
from projections.progress.shares import TickShares
from projections.quarter.answer import counters_json, move_json, visits_json
from projections.quarter.movement import counters, moves_of
from projections.quarter.visits import visits_of
from projections.review.answer import answer as review_answer
from projections.review.fold import fold as fold_review
from projections.review.gates import gates_of
from projections.review.health import Age, Flag, flags_of


class DealQuestions:
    """Answers about one deal."""

    def __init__(
        self, store: EventStore, context: ContextReader, places: Places, patterns: PatternReader
    ) -> None:
        self._store = store
        self._told = DealsTold(store)
        self._context = context
        self._places = places
        self._patterns = patterns

    def seen(self, deal_id: UUID, moment: Moment) -> DealSeen:
        """Read a deal as known and as true at a moment.

        Raises:
            UnknownDealError: nothing was known of such a deal.
        """
        known = self._context.known(moment.position)
        told = self._told.upto(deal_id, moment.position, known, moment.cut)
        if told is None:
            message = f"there is no deal {deal_id}"
            raise UnknownDealError(message)
        return DealSeen(deal_id, moment, told, moment.position)

    def told(self, deal_id: UUID) -> list[tuple[int, datetime]]:
        """Give where in the log a deal was told something, to this day, and when."""
        rows = self._store.rows(
            "SELECT position, recorded_at FROM events WHERE stream_id = %(stream)s"
            " ORDER BY position",
            {"stream": f"deal:{deal_id}"},
        )
        return [(position, recorded_at) for position, recorded_at in rows]

    def restated(self, seen: DealSeen, position: int) -> DealSeen:
        """Give the same events of the deal, read in the context as known at another position.

        Other deals are still compared as they were known at the moment; where a calendar, a
        policy or a process was published since, what is known of them rests on the old one, and
        they are compared as known at that position too.
        """
        known = self._context.known(position)
        reframed = self._context.between(seen.moment.position, position)
        compared_at = position if reframed else seen.compared_at
        told = DealTold.of(seen.stream, known, seen.moment.cut)
        return replace(seen, told=told, compared_at=compared_at)

    def under(self, seen: DealSeen, policy: Policy) -> DealSeen:
        """Give the same events of the deal, read as if another policy were in force."""
        told = replace(seen.told, known=seen.known.under(policy))
        return replace(seen, told=told)

    def deal(self, seen: DealSeen) -> dict[str, object]:
        """Give the state of the deal.

        Raises:
            UnknownDealError: it is known, and was not opened yet at that instant.
        """
        state = seen.told.state()
        if state is None:
            message = f"deal {seen.deal_id} was not opened yet at the moment asked about"
            raise UnknownDealError(message)
        return {
            "deal_id": str(seen.deal_id),
            "version": seen.version,
            **seen.moment.answer(),
            **state_json(state),
            "late": self._late(seen),
        }

    def progress(self, seen: DealSeen) -> dict[str, object]:
        """Give what was ticked and what was shown (DESIGN section 6)."""
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **progress_answer(seen.told.progress(), seen.moment.effective_at),
            "late": self._late(seen),
        }

    def commitments(self, seen: DealSeen) -> dict[str, object]:
        """Give what the customer committed to, what we promised, and who does the work."""
        folded = fold_commitments(seen.events, seen.known.calendar, seen.known.policy)
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **commitments_answer(folded, seen.moment.effective_at, names=seen.told.names()),
            "late": self._late(seen),
        }

    def review(self, seen: DealSeen) -> dict[str, object]:
        """Give the review sheet: six questions, the decided gates and the health flags."""
        both = seen.told.commitments()
        ours = [one for one in both if one.side == "seller"]
        theirs = [one for one in both if one.side == "customer"]
        sheet, gates = fold_review(seen.events, ours), gates_of(seen.events, seen.pinned())
        flags = self._flags(seen, theirs)
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **review_answer(
                sheet, gates, flags, both, seen.moment.effective_at, names=seen.told.names()
            ),
            "late": self._late(seen),
        }

    def _flags(self, seen: DealSeen, commitments: Sequence[Commitment]) -> list[Flag]:
        """Give the health flags of the deal; none where it is not open."""
        at, state = seen.moment.effective_at, seen.told.state()
        if state is None or not state.open:
            return []
        progress = seen.told.progress()
        shares = TickShares.of((one.status(at), one.weight) for one in progress.activities)
        return flags_of(
            seen.events,
            commitments,
            close_date=state.close_date,
            forecast=state.forecast_category,
            age=self._age(seen),
            checkbox_only=shares.checkbox_only(),
            today=seen.known.calendar.day_of(at),
            at=at,
        )

    def _age(self, seen: DealSeen) -> Age | None:
        """Compare how long the deal has stood in its stage with all stays in it."""
        stays = seen.told.stays()
        if not stays or stays[-1].left_at is not None:
            return None
        with self._store.connection() as connection:
            n, share = self._compared(connection, seen).over_by(stays[-1], seen.moment.effective_at)
        return Age(stays[-1].event_id, share, n)

    def conformance(self, seen: DealSeen) -> dict[str, object]:
        """Give how the deal followed its process, and where it did not (METRICS section 6)."""
        progress = seen.told.progress()
        at = seen.moment.effective_at
        ticked = [
            Ticked(activity.activity, activity.stage, activity.status(at), activity.claim.tick_id)
            for activity in progress.activities
            if activity.claim
        ]
        evidenced = {
            outcome.outcome
            for activity in progress.activities
            for outcome in activity.outcomes
            if outcome.reached()
        }
        followed = conformance_of(seen.events, seen.processes, ticked=ticked, evidenced=evidenced)
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **conformance_answer(followed),
            "late": self._late(seen),
        }

    def judged(self, seen: DealSeen) -> list[Judged]:
        """Judge the deal's seller events."""
        with self._store.connection() as connection:
            return _judged(seen, self._compared(connection, seen))

    def explained(self, seen: DealSeen) -> tuple[list[Explained], Coverage]:
        """Judge and explain them; and count how often the deal's team records customers."""
        return seen.once("explained", lambda: self._explained(seen))

    def _in_words(self, seen: DealSeen) -> list[dict[str, object]]:
        """Give the judged events with their facts, as both timeline and pressure tell them."""
        explained, _ = self.explained(seen)
        return seen.once("told", lambda: [judged_json(e, seen.known.policy) for e in explained])

    def _explained(self, seen: DealSeen) -> tuple[list[Explained], Coverage]:
        with self._store.connection() as connection:
            context = self._compared(connection, seen)
            state = seen.told.state()
            coverage = context.coverage(state.owner if state else None)
            return explain(_judged(seen, context), context), coverage

    def pressure(self, seen: DealSeen) -> dict[str, object]:
        """Give which events are consistent with quota pressure, and why (DESIGN section 6)."""
        explained, coverage = self.explained(seen)
        judged, policy = [one.judged for one in explained], seen.known.policy
        with self._store.connection() as connection:
            context = self._compared(connection, seen)
            exposed = exposure(seen.events, context, seen.moment.effective_at)
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **pressure_answer(seen.events, judged, policy, coverage, self._in_words(seen)),
            "exposure": exposure_json(exposed),
            "patterns": self._patterns.patterns(
                seen.deal_id,
                seen.events,
                judged,
                known=seen.known,
                moment=seen.moment,
                as_of=seen.compared_at,
            ),
            "late": self._late(seen),
        }

    def without_pressure(self, seen: DealSeen) -> dict[str, object]:
        """Give the same shape with no verdict and no figure of a quota in it."""
        nothing = timedelta(0)
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **pressure_answer(seen.events, [], seen.known.policy, Coverage(0, 0), []),
            "exposure": exposure_json(Exposure(nothing, nothing, nothing, ())),
            "patterns": [],
            "late": self._late(seen),
        }

    def chart(self, seen: DealSeen) -> dict[str, object]:
        """Give the pressure along the deal's life, its stays in stages and its quarters."""
        until = seen.moment.effective_at
        with self._store.connection() as connection:
            context = self._compared(connection, seen)
            return {
                "curve": deal_curve(seen.events, context, until),
                "quarters": quarters_of(seen.events, context, until),
                "stays": seen.told.stays(),
            }

    def history(self, seen: DealSeen) -> dict[str, object]:
        """Give the timeline in words, with the verdicts of the events that have one."""
        entries = seen.told.timeline()
        verdicts = {one["event_id"]: one for one in self._in_words(seen)}
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            "events": [entry_json(e, verdicts.get(str(e.event_id))) for e in entries],
        }

    def movement(self, seen: DealSeen) -> dict[str, object]:
        """Give the visits to stages in order, and the moves of the close date by cause.

        Each move tells where its rep stood against the quota at that time.
        """
        moves = moves_of(
            seen.deal_id,
            seen.stream,
            calendar=seen.known.calendar,
            effective_at=seen.moment.cut,
        )
        gaps = {one.event.event_id: gap_json(one) for one in self.judged(seen)}
        at = seen.moment.effective_at
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            **visits_json(visits_of(seen.events, seen.processes), at=at),
            "close_date": {
                "moves": [{**move_json(m), "quota_gap": gaps.get(m.event_id)} for m in moves],
                "counters": counters_json(counters(moves)),
            },
            "late": self._late(seen),
        }

    def _late(self, seen: DealSeen) -> list[dict[str, object]]:
        """Give the events that this answer rests on and was told late, or told otherwise before."""
        at, timeline = seen.moment.effective_at, seen.told.timeline()
        return seen.once(
            "late", lambda: [late_json(e, at) for e in timeline if late_because(e, at)]
        )

    def _compared(self, connection: Rows, seen: DealSeen) -> KnownContext:
        """Give what the deal is compared with, as known and as true at its moment.

        All answers about the deal compare it with what was read for the first of them.
        """
        context = seen.once("compared", lambda: self._context_of(connection, seen))
        return context.over(connection)

    def _context_of(self, connection: Rows, seen: DealSeen) -> KnownContext:
        return KnownContext(
            connection,
            known=seen.known,
            as_of=seen.compared_at,
            at=seen.moment.effective_at,
            ledger=ledger,
            reading=self._places.reading(seen.moment.cut),
        )

    def events(self, seen: DealSeen) -> dict[str, object]:
        """Give the raw events in the order of versions, and what corrected them."""
        told = filter(seen.told.true, seen.stream)
        correctors = in_force(seen.stream)
        return {
            "deal_id": str(seen.deal_id),
            **seen.moment.answer(),
            "events": [logged_json(event, correctors) for event in told],
        }


def _judged(seen: DealSeen, context: KnownContext) -> list[Judged]:
    return judge(seen.deal_id, seen.told.acts(), context)
