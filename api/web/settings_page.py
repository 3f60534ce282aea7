"""What the settings show: keys, people, the rules in force and who set them, and the server."""

from calendar import month_name
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.reads import Answer
from api.web.vocabulary import ROLES

_DAYS: Final = (7, 30, 90, 180, 366)
_KINDS: Final = {
    "months": "Quarters of months",
    "weeks": "Quarters of weeks",
    "explicit": "Quarters as listed",
}
_UNITS: Final = {"days": "day", "hours": "hour", "seconds": "second"}
_SHARES: Final = ("_share", "_percentile", "_gate")


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key; `state` says in words whether it is good."""

    id: str
    name: str
    member: str
    role: str
    scopes: str
    made: str
    used: str
    state: str
    good: bool


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a team."""

    name: str
    role: str
    manager: str
    since: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One number in force, what it means, and who set it when."""

    name: str
    value: str
    meaning: str
    set_by: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that was just made or rotated, with the secret that nobody can read again."""

    name: str
    member: str
    secret: str
    expires: str


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The form of a new key as it was filled in, and what is wrong with which field."""

    values: Mapping[str, str]
    field: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The settings, ready for their template; None stands for what is not shown to the reader."""

    as_of: AsOf
    keys: tuple[KeyLine, ...] | None
    roles: tuple[tuple[str, str], ...]
    days: tuple[int, ...]
    secret: Secret | None
    form: KeyForm
    teams: tuple[tuple[str, tuple[Member, ...]], ...]
    members: tuple[tuple[str, str], ...]
    calendar: tuple[Rule, ...]
    quarters: tuple[tuple[str, str], ...]
    quotas: tuple[Rule, ...] | None
    rates: tuple[Rule, ...]
    policy_version: int
    policy_set: str
    policy: tuple[Rule, ...]
    health: tuple[tuple[str, str, bool], ...] | None


def settings_page(
    answer: Answer,
    *,
    asked: tuple[str | None, str | None],
    secret: Mapping[str, Any] | None = None,
    form: KeyForm | None = None,
) -> SettingsPage:
    """The settings, with the secret of a key that was just made, or with a form refused."""
    policy = answer["policy"]
    published = policy["published"][-1] if policy["published"] else None
    return SettingsPage(
        as_of=as_of_view(answer, asked=asked),
        keys=None
        if answer["keys"] is None
        else tuple(_key(one, answer) for one in reversed(answer["keys"])),
        roles=tuple(ROLES.items()),
        days=_DAYS,
        secret=None if secret is None else _secret(secret, answer),
        form=form or KeyForm({}),
        teams=_teams(answer),
        members=f.told_apart(
            (one["rep"] for team in answer["teams"]["teams"] for one in team["members"]),
            answer["names"],
        ),
        calendar=tuple(_calendar(one, answer) for one in answer["calendar"]["adopted"]),
        quarters=_quarters(answer["calendar"]),
        quotas=None
        if answer["quotas"] is None
        else tuple(_quota(one, answer) for one in answer["quotas"]),
        rates=tuple(_rate(one, answer) for one in answer["rates"]),
        policy_version=policy["in_force"]["version"],
        policy_set=set_by(answer, published["event_id"]) if published else "built in",
        policy=_policy(answer),
        health=None if answer["health"] is None else _health(answer["health"]),
    )


def set_by(answer: Answer, event_id: str) -> str:
    """Who told an event of the context, and when: `by Priya Raman, 30 Sep 2026, 17:00 UTC`."""
    told = answer["set_by"].get(event_id)
    if told is None:
        return "built in"
    return f"by {_name(answer, told['actor'])}, {f.moment(told['recorded_at'])}"


def _name(answer: Answer, person: str) -> str:
    return str(answer["names"].get(person, person))


def _key(one: Mapping[str, Any], answer: Answer) -> KeyLine:
    now = f.instant(answer["effective_at"])
    ended = one["revoked_at"] is not None
    good = not ended and f.instant(one["expires_at"]) > now
    if ended:
        state = f"revoked {f.day(f.day_of(one['revoked_at']))}"
    elif good:
        state = f"good until {f.day(f.day_of(one['expires_at']))}"
    else:
        state = f"expired {f.day(f.day_of(one['expires_at']))}"
    return KeyLine(
        id=one["id"],
        name=one["name"],
        member=_name(answer, one["member"]),
        role=ROLES[one["role"]],
        scopes="all of it" if one["scopes"] is None else ", ".join(one["scopes"]),
        made=f"by {_name(answer, one['created_by'])}, {f.day(f.day_of(one['created_at']))}",
        used=f.day(f.day_of(one["last_used_at"])) if one["last_used_at"] else "never",
        state=state,
        good=good,
    )


def _secret(one: Mapping[str, Any], answer: Answer) -> Secret:
    return Secret(
        name=one["name"],
        member=_name(answer, one["member"]),
        secret=one["secret"],
        expires=f.day(f.day_of(one["expires_at"])),
    )


def _teams(answer: Answer) -> tuple[tuple[str, tuple[Member, ...]], ...]:
    return tuple(
        (f.words_of(team["team"]), tuple(_member(one, answer) for one in team["members"]))
        for team in answer["teams"]["teams"]
    )


def _rate(one: Mapping[str, Any], answer: Answer) -> Rule:
    return Rule(
        name=f"{one['currency']}, {one['fiscal_year']}",
        value=one["rate"],
        meaning="what one unit counts for",
        set_by=set_by(answer, one["event_id"]),
    )


def _member(one: Mapping[str, Any], answer: Answer) -> Member:
    return Member(
        name=_name(answer, one["rep"]),
        role=ROLES.get(one["role"], one["role"]),
        manager=_name(answer, one["manager"]) if one["manager"] else "",
        since=f.day(f.day_of(one["joined"])),
    )


def _calendar(one: Mapping[str, Any], answer: Answer) -> Rule:
    parameters = ", ".join(
        _parameter(name, value)
        for name, value in sorted(one["parameters"].items())
        if not isinstance(value, list | dict)
    )
    return Rule(
        name=f"From {f.day(one['effective_from'])}",
        value=_KINDS.get(one["kind"], one["kind"]),
        meaning=f"{one['zone']}, {parameters}" if parameters else one["zone"],
        set_by=set_by(answer, one["event_id"]),
    )


def _parameter(name: str, value: object) -> str:
    if name in ("start_month", "month"):
        words = "from" if name == "start_month" else "ending in"
        return f"{words} {month_name[int(str(value))]}"
    return f"{f.words_of(name).lower()} {value}"


def _quarters(calendar: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = [calendar[name] for name in ("previous", "current", "following")]
    return tuple(
        (one["quarter"], f"{f.day(one['start'])} to {f.day(one['end'])}") for one in told if one
    )


def _quota(one: Mapping[str, Any], answer: Answer) -> Rule:
    last = one["history"][-1] if one["history"] else None
    who = _name(answer, one["rep"]) if one["rep"] else f"Team {f.words_of(one['team'])}"
    changed = max(0, len(one["history"]) - 1)
    return Rule(
        name=who,
        value=f.money(one["quota"], "withdrawn"),
        meaning=one["quarter"] + (f", changed {f.count(changed, 'time')}" if changed else ""),
        set_by=set_by(answer, last["event_id"]) if last else "",
    )


def _policy(answer: Answer) -> tuple[Rule, ...]:
    """Every number in force, with the last publication that named it."""
    numbers, told = answer["policy"]["in_force"], answer["policy"]["published"]
    named = {name: one["event_id"] for one in told for name in one["numbers"]}
    return tuple(
        Rule(
            name=answer["meanings"].get(name) or f.words_of(name),
            value=_number(name, value),
            meaning=name,
            set_by=set_by(answer, named[name]) if name in named else "",
        )
        for name, value in numbers.items()
        if name != "version"
    )


def _number(name: str, value: object) -> str:
    """A number of a policy with the unit that ends its name; left empty it turns its rule off."""
    if value is None:
        return "off"
    if isinstance(value, list):
        return ", ".join(f.percentage(one) for one in value) or "none"
    if name.endswith(_SHARES):
        return f.percent(str(value))
    unit = _UNITS.get(name.rpartition("_")[2])
    return f.count(int(str(value)), unit) if unit else str(value)


def _health(health: Mapping[str, Any]) -> tuple[tuple[str, str, bool], ...]:
    """What the server says of itself; the third says whether that is as it should be."""
    lag, parked = health["lag"], health["parked"]
    return (
        ("Takes appends", "yes" if health["ready"] else "no", health["ready"]),
        ("Worker", "running" if health["worker"] else "away", health["worker"]),
        ("Clock", health["clock"], health["clock"] == "steady"),
        ("Schema", health["migrations"] or f.UNKNOWN, health["migrations"] == "current"),
        ("Head of the log", f.UNKNOWN if health["head"] is None else f"{health['head']:,}", True),
        ("Views behind by", f.UNKNOWN if lag is None else f.count(lag, "event"), not lag),
        ("Parked deals", f.UNKNOWN if parked is None else f"{parked:,}", not parked),
        (
            "Roles of the database",
            health["privileges"] or f.UNKNOWN,
            health["privileges"] == "separate",
        ),
    )
