"""The seller events of a quarter, as known and as true at the moment of a replay."""

from uuid import UUID

from api.places import Places
from api.replays import Replay
from domain.replay import view
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.acts import Act
from projections.pressure.context import KnownContext
from projections.pressure.derive import derive_acts
from projections.pressure.verdicts import ActVerdict, read_acts, verdicts_of


class QuarterActs:
    """Reads the acts of one replay, and what they are judged by.

    In another frame than that of the stored facts they are read anew from their deals, as those
    were known then.
    """

    def __init__(self, connection: Rows, replay: Replay, places: Places, views: int) -> None:
        """Take a replay; `views` is the position that the facts have reached."""
        moment = replay.moment
        self._connection = connection
        self._replay = replay
        self._places = places
        self.context = KnownContext(
            connection,
            known=replay.known,
            as_of=views if replay.reframed else moment.position,
            at=moment.effective_at,
            ledger=ledger,
            reading=places.reading(moment.cut),
        )

    def verdicts(self) -> list[ActVerdict]:
        """Give the verdict of each act of the quarter."""
        return verdicts_of(self.context, self.acts())

    def acts(self) -> list[tuple[UUID, Act]]:
        """Give the acts that lie in the quarter, each with its deal."""
        if self._replay.anew:
            return self.derived()
        return read_acts(self.context, "quarter = %s", (self._replay.quarter.name,))

    def derived(self) -> list[tuple[UUID, Act]]:
        """Derive the acts of the quarter from their deals, in the context of the replay."""
        moment, quarter = self._replay.moment, self._replay.quarter
        rows = self._connection.execute(
            "SELECT DISTINCT deal_id FROM acts WHERE action_time >= %s AND action_time < %s"
            " AND from_position <= %s AND (until_position IS NULL OR until_position > %s)",
            (quarter.start_instant, quarter.end_instant, moment.position, moment.position),
        ).fetchall()
        streams = self._places.streams([row[0] for row in rows], moment.position)
        return [
            (deal_id, act)
            for deal_id, stream in streams.items()
            for act in derive_acts(view(stream, effective_at=moment.cut), self._replay.known)
            if act.quarter == quarter.name
        ]
