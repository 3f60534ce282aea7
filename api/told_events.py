"""Events of the log as people read them: in words, with their deal, corrections and verdict."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Final
from uuid import UUID

from api.answers import correction_json, logged_json
from api.context import ContextReader
from api.corrected import correctors_of
from api.deal_seen import DealSeen
from api.identity.access import Access
from api.identity.permissions import Action, may
from api.identity.reach import ACT_TOPICS, Reach
from api.moment import Moment
from api.places import Places
from api.questions import DealQuestions
from api.storage.log_reader import LogReader
from domain.events.progress import ActivityTicked
from domain.replay import Event
from projections.attainment.projection import ledger
from projections.batch import deal_of
from projections.history.fold import Entry
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import judgements


class ToldEvents:
    """Tells events of the log as they are known and judged at a moment.

    Verdicts are those of `DealQuestions.history`, for as many deals as a page has.
    """

    def __init__(
        self,
        store: LogReader,
        questions: DealQuestions,
        *,
        context: ContextReader,
        places: Places,
        access: Access,
    ) -> None:
        self._store = store
        self._questions = questions
        self._context = context
        self._places = places
        self._access = access

    def told(
        self, events: Sequence[Event], moment: Moment, reach: Reach
    ) -> list[dict[str, object]]:
        """Give each event (`event`, as the API has it) with what else is to be said of it.

        What is of a deal has its `deal`, `title`, `detail`, `driver`, `late`, `amended` and
        `retracted`; they are None for an event of the context. `status` is how a tick counts.
        `verdict` and `pressure` are those of an act, None where there are none, and with `untold`
        where they are not the reader's to know.
        """
        ids = {deal_id for event in events if (deal_id := deal_of(event.stream_id))}
        deals = {deal_id: self._questions.seen(deal_id, moment) for deal_id in sorted(ids)}
        words = {one: self._words(seen) for one, seen in deals.items()}
        statuses = self._statuses(events, deals)
        verdicts = self._verdicts(events, moment, reach)
        with self._store.connection() as connection:
            correctors = correctors_of(connection, events, upto=moment.position)
        return [
            {
                "event": logged_json(event, correctors),
                **_words_of(event, words)(event),
                "status": statuses.get(event.event_id),
                **verdicts.get(event.event_id, _NO_VERDICT),
            }
            for event in events
        ]

    def _words(self, seen: DealSeen) -> "_DealWords":
        state = seen.told.state()
        named: dict[str, object] = {
            "deal_id": str(seen.deal_id),
            "name": state.name if state else None,
            "account": state.account_name if state else None,
        }
        entries = {entry.event_id: entry for entry in seen.told.timeline()}
        return _DealWords(named, entries)

    def _statuses(self, events: Sequence[Event], deals: Mapping[UUID, DealSeen]) -> dict[UUID, str]:
        """Give how ticks in force count, by the event that ticked."""
        ticked = {
            deal_of(event.stream_id) for event in events if isinstance(event.data, ActivityTicked)
        }
        found: dict[UUID, str] = {}
        for deal_id, seen in deals.items():
            if deal_id in ticked:
                found |= {
                    one.claim.tick_id: one.status(seen.moment.effective_at)
                    for one in seen.told.progress().activities
                    if one.claim
                }
        return found

    def _verdicts(
        self, events: Sequence[Event], moment: Moment, reach: Reach
    ) -> dict[UUID, dict[str, object]]:
        acts = {e.event_id: deal_of(e.stream_id) for e in events if e.data.TOPIC in ACT_TOPICS}
        deals = {deal_id for deal_id in acts.values() if deal_id}
        told = may(reach.identity, Action.READ_PRESSURE)
        shown = self._access.pressure_shown(reach, deals) if told else frozenset[UUID]()
        untold: dict[str, object] = {**_NO_VERDICT, "untold": True}
        found = {one: untold for one, deal_id in acts.items() if deal_id not in shown}
        return found | self._judged(acts.keys() - found.keys(), shown, moment)

    def _judged(
        self, event_ids: Collection[UUID], deals: Collection[UUID], moment: Moment
    ) -> dict[UUID, dict[str, object]]:
        with self._store.connection() as connection:
            context = KnownContext(
                connection,
                known=self._context.known(moment.position),
                as_of=moment.position,
                at=moment.effective_at,
                ledger=ledger,
                reading=self._places.reading(moment.cut),
            )
            return {
                one.act.event_id: {
                    "verdict": one.verdict,
                    "pressure": _number(one.standing.pressure if one.standing else None),
                    "untold": False,
                }
                for one in judgements(
                    context,
                    where="deal_id = ANY(%s) AND event_id = ANY(%s)",
                    params=(sorted(deals), sorted(event_ids)),
                )
            }


class _DealWords:
    """Says what happened to one deal."""

    def __init__(self, deal: dict[str, object] | None, entries: Mapping[UUID, Entry]) -> None:
        self._deal = deal
        self._entries = entries

    def __call__(self, event: Event) -> dict[str, object]:
        entry = self._entries.get(event.event_id)
        return {
            "deal": self._deal,
            "title": entry.title if entry else None,
            "detail": entry.detail if entry else None,
            "driver": entry.driver if entry else None,
            "late": entry.late if entry else None,
            "amended": correction_json(entry.amended) if entry else None,
            "retracted": correction_json(entry.retracted) if entry else None,
        }


_NO_DEAL: Final = _DealWords(None, {})
_NO_VERDICT: Final[dict[str, object]] = {"verdict": None, "pressure": None, "untold": False}


def _number(share: Fraction | None) -> float | None:
    return None if share is None else float(share)


def _words_of(event: Event, words: Mapping[UUID, _DealWords]) -> _DealWords:
    deal_id = deal_of(event.stream_id)
    return _NO_DEAL if deal_id is None else words[deal_id]
