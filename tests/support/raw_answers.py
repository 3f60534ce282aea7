"""The answers to the auditors' worked questions, from raw events and without the product's folds.

Written for the sample company: one process in two versions, quarters that begin in February, May,
August and November in New York, the default policy.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

Told: TypeAlias = dict[str, Any]
ZONE: Final = ZoneInfo("America/New_York")
_DAY: Final = timedelta(days=1)
_FORTNIGHT: Final = 14 * _DAY
_BREAKING: Final = {
    "commitment_kept": "kept",
    "commitment_broken": "broken",
    "commitment_withdrawn": "withdrawn",
    "seller_promise_kept": "kept",
    "seller_promise_broken": "broken",
}


def quarter_of(day: date) -> tuple[int, int]:
    """Give the fiscal year and the number of the quarter of a local day."""
    months = (day.year * 12 + day.month - 2) // 3
    return (months // 4 + 1, months % 4 + 1)


def name_of(day: date) -> str:
    return "FY{}Q{}".format(*quarter_of(day))


def local(instant: datetime) -> date:
    return instant.astimezone(ZONE).date()


def days_left(day: date) -> int:
    left = 0
    while quarter_of(day + (left + 1) * _DAY) == quarter_of(day):
        left += 1
    return left


def first_instant(day: date) -> datetime:
    """Give the first instant of the quarter of a local day."""
    while quarter_of(day - _DAY) == quarter_of(day):
        day -= _DAY
    return datetime.combine(day, time.min, ZONE)


@dataclass(frozen=True)
class Raw:
    """The log as the API tells it, event by event."""

    events: Sequence[Told]

    @cached_property
    def in_force(self) -> list[Told]:
        """The events as they read now, in the order in which they happened."""
        amended = {
            e["data"]["event_id"]: e["data"]["data"]
            for e in self.events
            if e["type"] == "event_amended"
        }
        gone = {e["data"]["event_id"] for e in self.events if e["type"] == "event_retracted"}
        read = [
            {**e, "data": amended.get(e["event_id"], e["data"])}
            for e in self.events
            if e["event_id"] not in gone
        ]
        return sorted(read, key=lambda e: (e["occurred_at"], e["recorded_at"], e["position"]))

    @cached_property
    def deals(self) -> dict[str, list[Told]]:
        found: dict[str, list[Told]] = defaultdict(list)
        for event in self.in_force:
            if event["stream_id"].startswith("deal:"):
                found[event["stream_id"]].append(event)
        return dict(found)

    def of(self, kind: str) -> Iterator[Told]:
        return (event for event in self.in_force if event["type"] == kind)

    def discounts(self) -> list[tuple[object, ...]]:
        """Who offered how much, how late in a quarter, and what the customer had done last."""
        found = []
        for deal in self.deals.values():
            acts: list[Told] = []
            for event in deal:
                left = days_left(local(event["occurred_at"]))
                if event["type"] == "discount_offered" and left < _FORTNIGHT.days:
                    last = acts[-1] if acts else None
                    act = (last["type"], last["occurred_at"]) if last else (None, None)
                    percent = float(event["data"]["percent"])
                    found.append((event["occurred_at"], event["rep"], percent, left, *act))
                if _of_the_customer(event):
                    acts.append(event)
        return sorted(found, key=repr)

    def late_wins(self) -> list[tuple[object, ...]]:
        return [
            (
                *(name_of(local(e["occurred_at"])), name_of(local(e["told_at"])), e["rep"]),
                *(e["occurred_at"], e["told_at"], e["told_at"] - e["occurred_at"]),
                e["data"]["net"]["amount"],
            )
            for e in self.events
            if e["type"] == "deal_won"
            and quarter_of(local(e["occurred_at"])) != quarter_of(local(e["told_at"]))
        ]

    def hollow(self) -> list[tuple[object, ...]]:
        """How often each stage was left for a higher one than ever, and how often hollow.

        Then how often with nothing shown, and how many outcomes were required and shown.
        """
        left: dict[str, list[list[bool]]] = defaultdict(list)
        for deal in self.deals.values():
            for source, shown in self._advances(deal) if "process" in deal[0]["data"] else ():
                left[source].append(shown)
        return sorted(
            (
                *(stage, len(all_shown), sum(not all(shown) for shown in all_shown)),
                sum(not any(shown) for shown in all_shown),
                sum(len(shown) for shown in all_shown),
                sum(sum(shown) for shown in all_shown),
            )
            for stage, all_shown in left.items()
        )

    def _advances(self, deal: Sequence[Told]) -> Iterator[tuple[str, list[bool]]]:
        stages = self._stages(deal[0]["data"]["process"]["version"])
        order = list(stages)
        highest, source = -1, ""
        for event in deal:
            match event["type"]:
                case "deal_moved_to_process":
                    stages = self._stages(event["data"]["process"]["version"])
                case "deal_reopened" | "win_reversed":
                    highest, source = -1, ""
                case "stage_entered" if event["data"]["stage"] in order:
                    rank = order.index(event["data"]["stage"])
                    if source and rank > highest:
                        wanted = [o for s in order[order.index(source) : rank] for o in stages[s]]
                        if wanted:
                            shown = [_shown(deal, o, level, event) for o, level in wanted]
                            yield source, shown
                    highest, source = max(highest, rank), event["data"]["stage"]
                case _:
                    pass

    def _stages(self, version: int) -> dict[str, list[tuple[str, int]]]:
        """Give the stages with the outcomes that they require, the winning one last."""
        (told,) = (
            e["data"] for e in self.of("process_published") if e["data"]["version"] == version
        )
        closing = told["closing"]
        found = {
            stage["id"]: [
                (outcome["id"], outcome["required_level"])
                for activity in stage.get("activities", [])
                for outcome in activity["outcomes"]
            ]
            for stage in told["stages"]
            if stage["id"] not in closing.values()
        }
        return {**found, closing["won"]: []}

    def bursts(self) -> list[tuple[object, ...]]:
        ticks = sorted(self.of("activity_ticked"), key=lambda e: (e["rep"], e["recorded_at"]))
        runs: list[list[Told]] = [[ticks[0]]]
        for before, tick in pairwise(ticks):
            near = tick["recorded_at"] - before["recorded_at"] <= timedelta(seconds=120)
            if tick["rep"] == before["rep"] and near:
                runs[-1].append(tick)
            else:
                runs.append([tick])
        return sorted(
            (
                *(run[0]["recorded_at"], run[-1]["recorded_at"], run[0]["rep"], len(run)),
                *(len({tick["stream_id"] for tick in run}), sum(map(self._unshown, run))),
            )
            for run in runs
            if len(run) >= 5
        )

    def _unshown(self, tick: Told) -> bool:
        """Say whether a tick was for something that had not been shown when it was made."""
        deal = self.deals[tick["stream_id"]]
        wanted = [
            (outcome["id"], outcome["required_level"])
            for told in self.of("process_published")
            if told["data"]["version"] == self._version(deal, tick)
            for stage in told["data"]["stages"]
            for activity in stage.get("activities", [])
            if activity["id"] == tick["data"]["activity"]
            for outcome in activity["outcomes"]
        ]
        shown = [_shown(deal, outcome, level, tick) for outcome, level in wanted]
        return bool(shown) and not all(shown)

    @staticmethod
    def _version(deal: Sequence[Told], by: Told) -> int:
        moved = [
            e["data"]["process"]["version"]
            for e in deal
            if e["type"] in {"deal_opened", "deal_moved_to_process"}
            and e["occurred_at"] <= by["occurred_at"]
        ]
        version: int = moved[-1]
        return version

    def quota_changes(self) -> list[tuple[object, ...]]:
        found = []
        for event in self.events:
            if event["type"] in {"quota_revised", "quota_withdrawn"}:
                _, who, quarter = event["stream_id"].split(":")
                told = name_of(local(event["recorded_at"]))
                if told >= quarter:
                    found.append((who, quarter, event["rep"], told > quarter))
        return sorted(found)

    def crossings(self) -> list[tuple[object, ...]]:
        found = []
        for deal in self.deals.values():
            stands: date | None = None
            for event in deal:
                if event["type"] == "deal_opened":
                    told = event["data"].get("close_date")
                    stands = date.fromisoformat(told) if told else None
                if event["type"] == "close_date_moved":
                    to = date.fromisoformat(event["data"]["to"])
                    if stands is not None and quarter_of(to) != quarter_of(stands):
                        names = (name_of(stands), name_of(to))
                        found.append((event["rep"], stands, to, *names))
                    stands = to
        return sorted(found)

    def broken(self, now: datetime) -> list[tuple[object, ...]]:
        found = []
        for deal in self.deals.values():
            for own in _promised(deal).values():
                stated = [e for e in own if e["type"] in _STATING][-1]
                renewed = [e for e in own if e["type"] == "commitment_renegotiated"]
                settled = [_BREAKING[e["type"]] for e in own if e["type"] in _BREAKING]
                due = (renewed or [stated])[-1]["data"].get("due")
                overdue = due and now >= _after_grace(date.fromisoformat(due))
                if settled[-1:] == ["broken"] or (not settled and overdue):
                    data = stated["data"]
                    who = data.get("by") or data.get("role")
                    name = deal[0]["data"]["name"]
                    found.append((name, data["what"], stated["rep"], who, not settled))
        return sorted(found, key=repr)

    def corrected(self) -> list[tuple[object, ...]]:
        told = {e["event_id"]: e for e in self.events}
        return [
            (
                *(e["type"].removeprefix("event_"), e["data"].get("data"), e["rep"]),
                e["recorded_at"],
                *(told[e["data"]["event_id"]][name] for name in ("data", "rep", "recorded_at")),
            )
            for e in self.events
            if e["type"] in {"event_amended", "event_retracted"}
        ]

    def backdated(self) -> list[tuple[object, ...]]:
        """By quarters, type and rep: how many, the longest lag, and the first position."""
        found: dict[tuple[str, ...], list[Told]] = defaultdict(list)
        for event in self.events:
            if event["told_at"] is None or not event["stream_id"].startswith("deal:"):
                continue
            day, told = local(event["occurred_at"]), local(event["told_at"])
            begun = first_instant(told)
            if begun > event["occurred_at"] and event["told_at"] < begun + _FORTNIGHT:
                found[name_of(told), name_of(day), event["type"], event["rep"]].append(event)
        return sorted(
            (
                *(*key, len(told), max(e["told_at"] - e["occurred_at"] for e in told)),
                min(e["position"] for e in told),
            )
            for key, told in found.items()
        )

    def handed_over(self) -> list[tuple[object, ...]]:
        return sorted(
            (won["occurred_at"], event["occurred_at"], event["data"]["owner"], event["rep"])
            for deal in self.deals.values()
            for number, won in enumerate(deal)
            if won["type"] == "deal_won"
            for event in deal[:number]
            if event["type"] == "owner_changed"
            and won["occurred_at"] - event["occurred_at"] < 30 * _DAY
        )


_STATING: Final = {"customer_commitment_recorded", "seller_promise_made"}


def _of_the_customer(event: Told) -> bool:
    if event["type"] == "outcome_evidenced":
        return int(event["data"]["level"]) >= 3
    return event["type"] in {"customer_request_received", "customer_commitment_recorded"}


def _shown(deal: Sequence[Told], outcome: str, level: int, by: Told) -> bool:
    """Say whether something of a level showed an outcome when an event occurred."""
    withdrawn = {e["data"]["event_id"] for e in deal if e["type"] == "evidence_withdrawn"}
    shown = False
    for event in deal:
        if event["occurred_at"] <= by["occurred_at"] and event["data"].get("outcome") == outcome:
            if event["type"] == "outcome_contradicted":
                shown = False
            elif event["event_id"] not in withdrawn and event["data"]["level"] >= level:
                shown = True
    return shown


def _promised(deal: Sequence[Told]) -> Mapping[tuple[str, str], list[Told]]:
    found: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for event in deal:
        for key in ("commitment_id", "promise_id"):
            if key in event["data"]:
                found[key, event["data"][key]].append(event)
    return found


def _after_grace(due: date) -> datetime:
    return datetime.combine(due + 4 * _DAY, time.min, ZONE)
