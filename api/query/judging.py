"""Judges events on quota pressure, as far as whoever asks may see it."""

from collections.abc import Sequence
from functools import cached_property

from api.identity.access import Access
from api.places import Places
from api.query.ground import Finding, Findings, Ground
from api.query.question import LogQuestion
from api.query.tree import fields_of
from api.storage.rows import Row
from projections.attainment.projection import ledger
from projections.batch import deal_of
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import judgements


class Judging:
    """Judges the events of one question; what it reads to compare them with it reads once."""

    def __init__(
        self,
        connection: Rows,
        ground: Ground,
        question: LogQuestion,
        *,
        places: Places,
        access: Access,
    ) -> None:
        self._connection = connection
        self._ground = ground
        self._question = question
        self._places = places
        self._access = access

    def findings(self, events: Sequence[Row]) -> Findings:
        """Judge events, given as pairs of an event id and its stream; who is no act has none."""
        deals = {deal_id for _, stream in events if (deal_id := deal_of(stream))}
        shown = self._access.pressure_shown(self._question.reach, deals)
        ids = [event_id for event_id, stream in events if deal_of(stream) in shown]
        asked = fields_of(self._question.query)
        verdicts, rules = "verdict" in asked, "rule" in asked
        judged = judgements(
            self._context,
            where="deal_id = ANY(%s) AND event_id = ANY(%s)",
            params=(sorted(shown), ids),
            verdicts=verdicts,
            rules=rules,
        )
        return {
            one.act.event_id: Finding(
                one.verdict if verdicts else None,
                frozenset(found.rule for found in one.findings if found.holds)
                if rules
                else frozenset(),
            )
            for one in judged
        }

    @cached_property
    def _context(self) -> KnownContext:
        moment = self._question.moment
        return KnownContext(
            self._connection,
            known=self._ground.known,
            as_of=moment.position,
            at=moment.effective_at,
            ledger=ledger,
            reading=self._places.reading(moment.cut),
        )
