"""A deal as a source has it, and the lines that are made of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from api.exchange.context import ProcessInUse
from api.exchange.known_deals import KnownDeal
from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.opened_in_time import opened_in_time
from api.exchange.profile import Profile
from api.exchange.records import instant_of, place_of, stamp, text_of
from api.exchange.won_again import reopened_in_time

SAME_MOMENT: Final = timedelta(minutes=1)
"""Rows that one save writes may carry times this far apart."""
CLOSING: Final = timedelta(seconds=1)
"""A close date written so near to the closing of its deal was set by HubSpot itself."""
_RANKS: Final = {
    name: rank
    for rank, name in enumerate(
        (
            "deal_opened",
            "owner_changed",
            "activity_ticked",
            "activity_unticked",
            "outcome_evidenced",
            "customer_goal_recorded",
            "customer_commitment_recorded",
            "note_added",
            "discount_offered",
            "discount_withdrawn",
            "win_reversed",
            "deal_reopened",
            "close_date_moved",
            "amount_changed",
            "forecast_category_changed",
            "deal_moved_to_process",
            "stage_entered",
            "deal_won",
            "deal_lost",
            "event_amended",
            "event_retracted",
            "history_gap",
            "deal_deleted",
        )
    )
}
"""The order of events that one moment recorded: a deal is reopened before it moves on."""
_FINAL: Final = frozenset({"event_amended", "event_retracted", "history_gap"})
"""What a newer export does not state otherwise: it has more corrections and gaps, or fewer."""


def gap_key(fields: Sequence[str], end: datetime) -> str:
    """What names a gap of some fields among the lines of a row."""
    return "gap:" + ",".join(fields) + f":{stamp(end)}"


@dataclass(frozen=True, slots=True)
class SourceNames:
    """What a source calls itself and the things that messages speak of."""

    system: str
    stages: str = "the stages of the source"
    amount: str = "amount"
    close_date: str = "close date"
    suffix: str = ""
    """What the names of fields end with that a customer made."""


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What all deals of an export share."""

    names: SourceNames
    profile: Profile
    processes: Mapping[str, ProcessInUse]
    """The process that a pipeline is, by its id; one without an id where there are no pipelines."""
    zone: str
    stages: Mapping[str, str]
    """The id of a stage by each name that rows use for it."""
    closes: Mapping[str, str | None]
    """How a deal ends in a stage, by the stage's id."""
    checkboxes: frozenset[str]
    """The custom fields that are checkboxes."""
    categories: Mapping[str, str] = field(default_factory=dict)
    """The forecast category that the source sets by itself, by the stage's id."""
    users: Mapping[str, str] = field(default_factory=dict)
    """The name of a user by id."""
    whole_states: bool = False
    """Whether a row of a history states all of a deal, whichever of its fields was changed."""

    def known(self, deal: str) -> KnownDeal:
        """What the ledger has of a deal; nothing where there is no process."""
        ledger = next(iter(self.processes.values()), None)
        return KnownDeal() if ledger is None else ledger.deal(deal)


@dataclass(slots=True)
class Deal:
    """What a source has of one deal, and the lines made of it so far."""

    context: SourceContext
    findings: Findings
    record: JsonObject
    """The deal as it is now."""
    snapshots: Sequence[JsonObject]
    """The deal as it was, in order."""
    synced: JsonObject | None = None
    """The quote that the deal takes its prices from."""
    early: Sequence[JsonObject] = ()
    """The deal before its first snapshot, where the source still has amounts and days of then."""
    owner: str = ""
    """Who owned it when it was opened."""
    owners: Sequence[tuple[str, JsonObject]] = ()
    """To whom it was given, in order, each with the row that says so."""
    lines: list[Line] = field(default_factory=list)

    @property
    def id(self) -> str:
        return text_of(self.record, "id")

    @property
    def known(self) -> KnownDeal:
        """What the ledger has of it."""
        return self.context.known(self.id)

    def stored(self, external_id: str) -> Mapping[str, object]:
        """What the source told last under an id, as the ledger has it; empty if it has nothing."""
        return self.known.stated(external_id)

    def told(self, external_id: str) -> bool:
        """Whether the ledger holds an event under an id of the source."""
        return self.known.when(external_id) is not None

    def add(
        self,
        row: JsonObject,
        kind: str,
        data: JsonObject,
        *,
        key: str | None = None,
        told_at: datetime | None = None,
        occurred_at: datetime | None = None,
        actor: str | None = None,
        corrects: str | None = None,
    ) -> None:
        """Make a line of what a row says; its times and its author are those of the row."""
        file, number = place_of(row)
        recorded_at = told_at or instant_of(row, "at")
        self.lines.append(
            Line(
                stream=f"deal:{self.id}",
                external_id=f"{text_of(row, 'id')}:{key or kind}",
                type=kind,
                occurred_at=occurred_at or recorded_at,
                recorded_at=recorded_at,
                actor=actor or text_of(row, "by") or self.owner,
                data=data,
                file=file,
                row=number,
                corrects=corrects,
                stated_at=None if kind in _FINAL else instant_of(self.record, "modified"),
            )
        )

    def gap(self, row: JsonObject, *, start: datetime, end: datetime, fields: list[str]) -> None:
        """Say that the source does not tell what happened to these fields in between.

        One that the ledger has stays as it is: as more was told since, it would begin elsewhere.
        """
        key = gap_key(fields, end)
        told = self.stored(f"{text_of(row, 'id')}:{key}")
        start = datetime.fromisoformat(str(told["from"])) if told else start
        data: JsonObject = {"from": stamp(start), "to": stamp(max(start, end)), "fields": fields}
        self.add(row, "history_gap", data, key=key, told_at=max(start, end), actor=self.owner)

    def reject(self, row: JsonObject, reason: str) -> None:
        self.findings.reject(*place_of(row), reason)

    def money(self, row: JsonObject, amount: object) -> JsonObject:
        """An amount of a row, in the currency of then as far as anybody knows."""
        currency = text_of(row, "currency")
        later = text_of(row, "first_currency") or text_of(self.record, "currency")
        if not currency and later:
            currency = self._told_in(row) or later
        return {"amount": amount, "currency": currency or self.context.profile.currency}

    def _told_in(self, row: JsonObject) -> str:
        """The currency in which the ledger has the deal at a row that does not state its own.

        That of the deal is the present one, and so is that of a row that is new since, unless the
        source says that it became another later than the row.
        """
        told = self.currency_by(row)
        if not told or text_of(row, "first_currency"):
            return told
        upto = max(filter(None, [self.known.currencies[-1][0], self.known.changed]))
        return told if instant_of(row, "at") <= upto else ""

    def currency_by(self, row: JsonObject) -> str:
        """The currency of the last amount that the ledger has by a row; empty if it has none."""
        told = self.known.currencies if text_of(row, "at") else ()
        return next((one for at, one in reversed(told) if at <= instant_of(row, "at")), "")

    def stage(self, row: Mapping[str, object]) -> str:
        name = text_of(row, "stage")
        return self.context.stages.get(name, name)

    def closes(self, row: Mapping[str, object]) -> str | None:
        """How the deal has ended in this row: by its status if the source has one, or its stage."""
        if "closes" in row:
            return text_of(row, "closes") or None
        return self.context.closes.get(self.stage(row))

    def process(self, row: Mapping[str, object]) -> ProcessInUse | None:
        return self.context.processes.get(text_of(row, "pipeline"))

    def in_order(self) -> Iterator[Line]:
        """The lines as they were recorded, those of one row in the order of a sale.

        Of several snapshots of one moment the first is told whole before the next: a deal may be
        won and reopened within one second.
        """
        turns: dict[str, int] = {}
        for turn, row in enumerate(self.snapshots):
            turns.setdefault(f"{text_of(row, 'id')}:", turn)

        def order(line: Line) -> tuple[datetime, int, int]:
            rank = _RANKS[line.type]
            beside = -1 if rank < _RANKS["win_reversed"] else len(turns)
            turn = turns.get(line.external_id.removesuffix(line.type), beside)
            return line.recorded_at or line.occurred_at, turn, rank

        lines = sorted(self.lines, key=order)
        stored_at = self.known.when(f"{self.id}:deal_opened")
        lines = opened_in_time(lines, stored_at=stored_at, findings=self.findings)
        return iter(reopened_in_time(lines, self.findings))
