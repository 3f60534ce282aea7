"""What a user declares about a source: how to read its files, and what its words mean."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from api import strict_yaml
from api.exchange.instants import DateOrder
from api.exchange.lines import JsonObject
from api.exchange.texts import known_encoding
from domain.calendars import calendar_from
from domain.errors import CalendarRefusedError
from domain.events.catalogue import STREAM_KINDS, TYPES_BY_NAME
from domain.events.customer import CommitmentKind
from domain.fiscal import FiscalCalendar, zone_named
from domain.values import CommitmentLevel, CurrencyCode, Identifier, Level, LocalDate, LongText

SHIPPED: Final = Path(__file__).parent / "profiles"
"""Profiles that come with the product, found by name."""
IGNORED: Final = "ignored"
"""What an event of a log says that is not to be imported."""
MAX_PROFILE: Final = 1 << 20
"""Characters of a profile; one with hundreds of activities has some ten thousand."""
UNSTATED_GOAL: Final = "The source states no goal for this stage."

ColumnRole: TypeAlias = Literal[
    "id",
    "name",
    "account",
    "owner",
    "stage",
    "opened_on",
    "close_date",
    "closed_on",
    "amount",
    "currency",
    "segment",
    "lost_reason",
    "recorded_on",
    "deleted",
    "happened_on",
]
_JOINED: Final = {"name"}
"""Roles that several columns may fill together."""


class ProfileRefusedError(ValueError):
    """The profile cannot be used; the message names the key at fault."""


def _zone(name: str) -> str:
    try:
        zone_named(name)
    except CalendarRefusedError as error:
        raise ValueError(error.detail) from error
    return name


def _type_of_deal(name: str) -> str:
    if name != IGNORED and STREAM_KINDS.get(name) != "deal":
        raise ValueError(f"no event of a deal is called {name!r}")
    return name


Zone: TypeAlias = Annotated[str, AfterValidator(_zone)]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CalendarProfile(_Declared):
    """The fiscal calendar, its parameters beside the kind or under `parameters`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["months", "weeks", "explicit"]
    zone: Zone
    effective_from: LocalDate | None = None
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        known = {key: value for key, value in given.items() if key in cls.model_fields}
        beside = {key: value for key, value in given.items() if key not in cls.model_fields}
        inside = known.get("parameters") or {}
        return known | {"parameters": _plain(inside | beside if isinstance(inside, dict) else {})}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        try:
            self.calendar()
        except CalendarRefusedError as error:
            raise ValueError(error.detail) from error
        return self

    def calendar(self) -> FiscalCalendar:
        return calendar_from(kind=self.kind, zone=self.zone, parameters=self.parameters)


class StageProfile(_Declared):
    """A stage of the source, in the order of the process."""

    name: Identifier
    goal: LongText = UNSTATED_GOAL
    closes: Literal["won", "lost"] | None = None
    entered_on: str | None = None
    """The column, of a table, with the day on which a deal entered this stage."""


class OutcomeProfile(_Declared):
    """An intended outcome of an activity; its name is its id unless one is given."""

    name: Identifier
    id: Identifier | None = None
    required_level: Level | None = None


class ActivityProfile(_Declared):
    """What an activity of the source is for, which no CRM says itself."""

    stage: Identifier
    purpose: LongText
    outcomes: Annotated[list[OutcomeProfile], Field(min_length=1)]
    id: Identifier | None = None

    @field_validator("outcomes", mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        if not isinstance(given, list):
            return given
        return [{"name": one} if isinstance(one, str) else one for one in given]


class _Field(_Declared):
    separator: str | None = Field(default=None, min_length=1)
    """What stands between the two parts of the value, where it has two."""


class TickField(_Declared):
    """A checkbox that claims an activity."""

    event: Literal["activity_ticked"]
    activity: Identifier


class OutcomeField(_Field):
    """A text that says what shows an outcome; before the separator the outcome, after it why."""

    event: Literal["outcome_evidenced"]
    level: Level
    outcome: Identifier | None = None


class CommitmentField(_Field):
    """A text that says what the customer will do; after the separator by when."""

    event: Literal["customer_commitment_recorded"]
    kind: CommitmentKind = "action"
    level: CommitmentLevel


class GoalField(_Declared):
    """A text that says what the customer wants to achieve."""

    event: Literal["customer_goal_recorded"]
    level: Level


class PlainField(_Declared):
    """A text that is a note, the reason of a loss, or nothing to import."""

    event: Literal["note_added", "deal_lost", "ignored"]


CustomField: TypeAlias = Annotated[
    TickField | OutcomeField | CommitmentField | GoalField | PlainField,
    Field(discriminator="event"),
]


class Constant(_Declared):
    """A value that the profile itself gives."""

    value: str | int


class EventMapping(_Declared):
    """What an event of a log says: one of our types, and from where its fields are taken.

    A field is the name of an attribute of the event or of its case, or a constant. One that
    is not named is taken from the attribute of its own name.
    """

    type: Annotated[str, AfterValidator(_type_of_deal)]
    fields: dict[str, str | Constant] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fields_exist(self) -> Self:
        known = TYPES_BY_NAME[self.type].model_fields if self.type != IGNORED else {}
        for name in self.fields:
            if name not in known and name != "currency":
                raise ValueError(f"fields.{name}: {self.type} has no such field")
        return self


class Profile(_Declared):
    """The declared facts of one source; a key that is not known is refused."""

    source: Identifier | None = None
    encoding: Annotated[str, AfterValidator(known_encoding)] | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    zone: Zone | None = None
    date_order: DateOrder | None = None
    currency: CurrencyCode | None = None
    calendar: CalendarProfile | None = None
    process: Identifier | None = None
    decimal: Literal[".", ","] = "."
    """What stands before the decimals of a number in a table."""
    thousands: Literal[",", ".", " ", "'", "\u00a0", "\u202f"] | None = None
    """What parts the thousands of a number in a table."""
    empty: list[str] = Field(default_factory=list)
    """Values of a table that stand for none."""
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Other spellings of values, by column of a table, and what each is read as."""
    defaults: dict[ColumnRole, str] = Field(default_factory=dict)
    """What a row of a table says where it is empty."""
    columns: dict[ColumnRole, str | list[str]] = Field(default_factory=dict)
    stages: list[StageProfile] = Field(default_factory=list)
    activities: dict[Identifier, ActivityProfile] = Field(default_factory=dict)
    custom_fields: dict[str, CustomField] = Field(default_factory=dict)
    events: dict[str, list[EventMapping]] = Field(default_factory=dict)
    """What the events of a log say, by their name."""
    event_name: Identifier | None = None
    """The attribute of a log that names its events, where it is not the format's own."""
    case: Identifier | None = None
    """What a deal is in a log: an attribute that names it, or its type of object."""

    @field_validator("events", mode="before")
    @classmethod
    def _one_or_more(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        listed = {
            name: {"type": IGNORED} if said == IGNORED else said for name, said in given.items()
        }
        return {name: [one] if isinstance(one, dict) else one for name, one in listed.items()}

    @field_validator("stages", mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        if not isinstance(given, list):
            return given
        return [{"name": one} if isinstance(one, str) else one for one in given]

    @field_validator("columns")
    @classmethod
    def _one_column(
        cls, columns: dict[ColumnRole, str | list[str]]
    ) -> dict[ColumnRole, str | list[str]]:
        for role, column in columns.items():
            if isinstance(column, list) and role not in _JOINED:
                raise ValueError(f"{role}: expected one column, not a list")
        return columns

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError("thousands: what parts them cannot stand before the decimals as well")
        return self

    @model_validator(mode="after")
    def _activities_have_stages(self) -> Self:
        known = {stage.name for stage in self.stages}
        for name, activity in self.activities.items():
            if self.stages and activity.stage not in known:
                raise ValueError(f"activities.{name}.stage: {activity.stage!r} is not in stages")
        return self

    def columns_of(self, role: ColumnRole) -> list[str]:
        """The columns that fill a role, in order."""
        column = self.columns.get(role, [])
        return [column] if isinstance(column, str) else column


def load_profile(name: str) -> Profile:
    """Read the profile in the file of that name, else the shipped one so called."""
    path = Path(name)
    if not path.is_file() and path.suffix == "":
        return shipped_profile(name)
    return profile_in(path, name=name)


def shipped_profile(name: str) -> Profile:
    """Read the profile of that name that comes with the product."""
    shipped = {one.stem: one for one in SHIPPED.glob("*.yaml")}
    if name not in shipped:
        known = ", ".join(sorted(shipped))
        raise ProfileRefusedError(
            f"the profile {name} cannot be read: there is no such file; shipped ones are: {known}"
        )
    return profile_in(shipped[name], name=name)


def profile_in(path: Path, *, name: str) -> Profile:
    """Read the profile in a file; messages call it `name`."""
    return profile_of(profile_text(path, name=name), name=name)


def profile_text(path: Path, *, name: str) -> str:
    """Read what a profile file says, as far as a profile may be long."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read(MAX_PROFILE + 1)
    except OSError as error:
        raise ProfileRefusedError(f"the profile {name} cannot be read: {error.strerror}") from error
    except UnicodeError as error:
        raise ProfileRefusedError(f"the profile {name} is not YAML: {error}") from error


def profile_of(text: str, *, name: str) -> Profile:
    """Read a profile that is written in YAML; messages call it `name`."""
    if len(text) > MAX_PROFILE:
        raise ProfileRefusedError(f"the profile {name} has more than {MAX_PROFILE} characters")
    try:
        content = strict_yaml.read(text)
    except RecursionError as error:
        raise ProfileRefusedError(f"the profile {name} is nested too deeply") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise ProfileRefusedError(f"the profile {name} is not YAML: {error}") from error
    return profile_from({} if content is None else content, name=name)


def profile_from(content: object, *, name: str) -> Profile:
    """Read what a profile file holds; ProfileRefusedError names the key at fault."""
    if not isinstance(content, dict):
        raise ProfileRefusedError(f"the profile {name} is not a list of keys and values")
    try:
        return Profile.model_validate(_plain(content))
    except ValidationError as error:
        raise ProfileRefusedError(f"the profile {name}: {reasons(error)}") from error


def reasons(error: ValidationError, *, under: str = "") -> str:
    """What is wrong and in which field, for every field that is; `under` is where they lie."""
    found: list[str] = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        path = under
        for step in one["loc"]:
            path += f"[{step}]" if isinstance(step, int) else f".{step}"
        text = one["msg"].removeprefix("Value error, ")
        found.append(f"{path.lstrip('.')}: {text}" if path else text)
    return "; ".join(found)


def _plain(content: JsonObject) -> JsonObject:
    """YAML reads an unquoted date as a date, and a payload holds text."""
    return {str(key): _plain_value(value) for key, value in content.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_plain_value(one) for one in value]
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return value
