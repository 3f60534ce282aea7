"""A query of the log holds for the events that a plain reading of the whole log finds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.bench.history import History
from api.bench.ledger import make_ledger
from api.bootstrap import Ledger
from api.errors import BeyondTheLogError
from api.kept_verdicts import KeptVerdicts
from api.moment import Moment, moment
from api.query.counting import DIMENSIONS, Dimension
from api.query.errors import QueryError
from api.query.fields import FIELDS, PROGRESS_VERDICTS, RULES
from api.query.order import Bounds
from api.query.parser import parse
from api.query.question import SORTS, LogQuestion, Sort
from api.query.tree import Given, Leaf, Query, Word, all_of, render, term
from domain.replay import Event
from tests.support.ledgers import NOW, SCHEMA, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.queries import NUMBERED, Plain, filled, imported_lines, plainly

VALUED: Final = (
    *("account", "actor", "channel", "clock", "currency", "deal", "on_behalf_of", "owner"),
    *("owner_now", "rep", "source", "stage", "team", "type", "verdict"),
)
TEXTS: Final = (
    *("days_left<=14", "days_left:0", "days_left>60", "days_left<3", "days_left>=30"),
    *("amount>100000", "amount<=50000", "amount:20000", "position<300", "position>=700"),
    *("quarter:FY2023Q1", "quarter>=FY2023Q2", "quarter<FY2022Q3", "quarter:FY2025Q1"),
    *("occurred:2022-03-01", "occurred<2022-06-01", "occurred>2022-06-01", "occurred<=2022-06-01"),
    *("recorded:2022-01-01..2023-01-01", "recorded:2023-06-01..", "occurred:..2021-06-01"),
    *("recorded>=2022-06-01T12:00:00Z", "late:yes", "late:no", "backdated:yes", "backdated:no"),
    *("data.percent>=10", "data.percent<8", "data.level>3", "data.amount.amount>50000"),
    *("data.to>=2023-01-01", "data.to:2022-01-01..2023-06-01", "data.reason:*", "data.list:*"),
    *('data.statement:"Asked for discount"', "data.data.percent:7.5", "data.net:*"),
    *("data.stage:prove,commit", "data.author.side:customer", "data.felt_pressured:yes"),
    *(f"rule:{rule}" for rule in RULES),
)

SPANS: Final = (
    *("position<300", "position<=300", "position>300", "position>=300", "position:200,300"),
    *("recorded<2022-06-01", "recorded<=2022-06-01", "recorded>2022-06-01", "recorded>=2022-06-01"),
    *("occurred<2022-06-01", "occurred<=2022-06-01", "occurred>2022-06-01", "occurred>=2022-06-01"),
    *("quarter<FY2023Q2", "quarter<=FY2023Q2", "quarter>FY2022Q2", "quarter>=FY2022Q2"),
    *(
        "quarter:FY2022Q2,FY2023Q1",
        "occurred:2022-03-01..2023-03-01",
        "recorded:2022-03-01..2023-03-01",
    ),
    *("recorded:..2022-09-01 occurred:2022-03-01..", "position>200 quarter:FY2022Q4,FY2023Q1"),
)

TOLD_OF_BOTH: Final = frozenset(
    {"account", "actor", "backdated", "days_left", "late", "occurred", "owner_now", "rep", "team"}
)
"""Fields that are read in other columns where a term about the deal stands beside."""


def history(database: str) -> None:
    """Fill a ledger with a founding history, and with an ordinary import after it.

    The verdicts that are kept are those of the history.
    """
    make_ledger(database, schema=SCHEMA, history=History(700, seed=4))
    with TemporaryDirectory() as folder, ledger_on(database) as ledger:
        ledger.worker.catch_up()
        ledger.audit.catch_up()
        import_lines(ledger, Path(folder), imported_lines())


@pytest.fixture(scope="module")
def ledger(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with postgres_server.ledger(SCHEMA, filled_by=history) as dsn, ledger_on(dsn) as ledger:
        yield ledger


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small log be read in as many stretches as a large one."""
    monkeypatch.setattr("api.query.order._STEPS", (8, 32, 128))


@pytest.fixture(scope="module")
def readings(ledger: Ledger) -> Sequence[tuple[Moment, Plain]]:
    """The log now, and as it was known and true before."""
    head = ledger.store.head().position
    before = ledger.store.events_at(head // 2, head // 2)[0].occurred_at.isoformat()
    asked = [(None, None), (f"position:{head * 2 // 3}", before)]
    moments = [moment(ledger.store, as_of=as_of, effective_at=at, now=NOW) for as_of, at in asked]
    return [(one, plainly(ledger, one)) for one in moments]


def leaves(plain: Plain) -> list[Leaf]:
    """Give terms about what the log says, and about what it never says."""
    said: dict[str, list[str]] = {
        name: sorted({str(value) for one in plain.said.values() for value in one[name]})
        for name in VALUED
    }
    valued = [term(name, value) for name in VALUED for value in said[name][:12]]
    several = [term(name, *said[name][:3]) for name in VALUED if said[name]]
    given_ = [Given(Word(name)) for name in FIELDS]
    read: list[Any] = [parse(text) for text in TEXTS]
    return [*valued, *several, *given_, *read, term("owner", "nobody"), term("team", "nobody")]


def every(ledger: Ledger, question: LogQuestion, *, size: int = 60) -> list[int]:
    """Give the positions of all pages of a question."""
    return [e.position for batch in ledger.log.batches(question, size=size) for e in batch]


def ordered(events: Sequence[Event], sort: Sort) -> list[int]:
    by_time = sort.endswith("occurred")
    found = sorted(events, key=lambda e: (e.occurred_at if by_time else NOW, e.position))
    positions = [event.position for event in found]
    return positions[::-1] if sort.startswith("-") else positions


def test_every_term_holds_for_what_a_plain_reading_finds(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]]
) -> None:
    found_by: Counter[str] = Counter()
    for when, plain in readings:
        for leaf in leaves(plain):
            expected = [event.position for event in plain.holding(leaf)]
            found = every(ledger, LogQuestion(query=leaf, moment=when), size=1000)
            assert found == expected, render(leaf)
            found_by[leaf.field.text] += len(found)

    assert {name for name in FIELDS if not found_by[name]} <= {"on_behalf_of"}
    assert all(found_by[name] for name in ("data.percent", "data.to", "data.list", "data.stage"))


def test_a_status_holds_for_the_same_whether_few_ticks_have_it_or_many(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for most in (0, 5_000):
        monkeypatch.setattr("api.query.ticks._FEW", most)
        for when, plain in readings:
            for status in PROGRESS_VERDICTS:
                for query in (
                    parse(f"verdict:{status}"),
                    parse(f"-verdict:{status} data.activity:*"),
                ):
                    expected = [event.position for event in plain.holding(query)]
                    assert every(ledger, LogQuestion(query=query, moment=when)) == expected


def test_a_term_holds_for_the_same_beside_one_that_another_table_answers(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]]
) -> None:
    beside = parse("stage:*")
    for when, plain in readings:
        told = [leaf for leaf in leaves(plain) if leaf.field.text in TOLD_OF_BOTH]
        for leaf in told:
            query = all_of([leaf, beside])
            expected = [event.position for event in plain.holding(query)]
            found = every(ledger, LogQuestion(query=query, moment=when), size=1000)
            assert found == expected, render(query)


@pytest.mark.parametrize("sort", ["position", "-position", "occurred", "-occurred"])
def test_a_span_of_the_log_is_found_from_either_side(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]], sort: Sort
) -> None:
    for when, plain in readings:
        for text in SPANS:
            query = parse(text)
            expected = ordered(plain.holding(query), sort)
            found = every(ledger, LogQuestion(query=query, moment=when, sort=sort), size=1000)
            assert found == expected, text


@pytest.mark.parametrize("sort", ["position", "-position", "occurred"])
@pytest.mark.parametrize("few", [0, 8])
def test_what_was_told_late_of_a_day_is_found(
    ledger: Ledger,
    readings: Sequence[tuple[Moment, Plain]],
    monkeypatch: pytest.MonkeyPatch,
    sort: Sort,
    few: int,
) -> None:
    monkeypatch.setattr("api.query.order._FEW", few)
    for when, plain in readings:
        day_of = plain.known.calendar.day_of
        late = [e for e in plain.events if day_of(e.occurred_at) < day_of(e.recorded_at)]
        days = {day_of(event.occurred_at) for event in late}
        assert len(days) > 5
        for day in days:
            query = parse(f"occurred:{day}")
            expected = ordered(plain.holding(query), sort)
            assert every(ledger, LogQuestion(query=query, moment=when, sort=sort)) == expected


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(reading=st.sampled_from([0, 1]), tree=NUMBERED, sort=st.sampled_from(SORTS))
def test_a_query_holds_for_what_a_plain_reading_finds(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]], reading: int, tree: Query, sort: Sort
) -> None:
    when, plain = readings[reading]
    query = filled(tree, leaves(plain))

    found = every(ledger, LogQuestion(query=parse(render(query)), moment=when, sort=sort))

    assert found == ordered(plain.holding(query), sort), render(query)


@settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    reading=st.sampled_from([0, 1]),
    number=st.integers(0, 9_999),
    by=st.lists(st.sampled_from(DIMENSIONS), max_size=2, unique=True),
)
def test_counts_are_those_of_a_plain_reading(
    ledger: Ledger,
    readings: Sequence[tuple[Moment, Plain]],
    reading: int,
    number: int,
    by: list[Dimension],
) -> None:
    when, plain = readings[reading]
    terms = leaves(plain)
    query = terms[number % len(terms)]

    counts = ledger.log.counts(LogQuestion(query=query, moment=when), by)

    holding = plain.holding(query)
    expected = Counter(tuple(key_of(plain, e, one) for one in by) for e in holding)
    assert counts.total == len(holding)
    assert not counts.more
    if by:
        found = {tuple(group[one] for one in by): group["count"] for group in counts.groups}
        assert found == expected, render(query)
        sizes: list[Any] = [group["count"] for group in counts.groups]
        assert sizes == sorted(sizes, reverse=True)


def test_every_group_counts_what_a_plain_reading_finds(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]]
) -> None:
    when, plain = readings[0]
    for one in DIMENSIONS:
        counts = ledger.log.counts(LogQuestion(moment=when), [one])
        found = {group[one]: group["count"] for group in counts.groups}
        assert found == Counter(key_of(plain, event, one) for event in plain.events), one


def key_of(plain: Plain, event: Event, dimension: Dimension) -> str | None:
    if dimension == "week":
        return f"{plain.known.calendar.day_of(event.occurred_at):%G-W%V}"
    if dimension == "account":
        return plain.account_of[event.position]
    said = plain.said[event.position][dimension]
    return said[0] if said else None


@pytest.mark.parametrize("sort", ["occurred", "-occurred", "position", "-recorded"])
def test_pages_stay_what_they_were_while_others_append(
    database: str, tmp_path: Path, sort: Sort
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, imported_lines())
        when = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
        question = LogQuestion(query=parse("stage:* or type:deal_opened"), moment=when, sort=sort)
        expected = every(ledger, question, size=1000)
        first = ledger.log.page(question, limit=5)

        import_lines(ledger, tmp_path, imported_lines(later=True))
        assert ledger.store.head().position > when.position

        rest = ledger.log.batches(question, last=first.last, size=5)
        found = [e.position for batch in ([first.events], rest) for page in batch for e in page]
        assert found == expected
        assert len(expected) > 10


def test_a_place_to_go_on_from_that_is_none_is_refused(ledger: Ledger) -> None:
    when = moment(ledger.store, as_of="position:100", effective_at=None, now=NOW)
    question = LogQuestion(moment=when, sort="occurred")
    for place in (0, 101, 2**62):
        with pytest.raises(BeyondTheLogError):
            ledger.log.page(question, limit=5, bounds=Bounds(after=place))


def test_a_quarter_that_no_calendar_has_is_refused_at_its_column(ledger: Ledger) -> None:
    when = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
    question = LogQuestion(query=parse("rep:ann quarter:FY0001Q1"), moment=when)
    with pytest.raises(QueryError) as refused:
        ledger.log.page(question, limit=5)
    assert refused.value.column == 17


@pytest.fixture
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything judged that is asked for, as where verdicts are kept of long ago."""
    monkeypatch.setattr(KeptVerdicts, "answer", lambda *_: None)


@pytest.mark.usefixtures("nothing_kept")
def test_verdicts_of_too_many_events_are_not_counted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.lists_log.MAX_COUNTED", 3)
    when = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
    question = LogQuestion(query=parse("verdict:pressure_shaped"), moment=when)
    with pytest.raises(QueryError, match="at most 3 events"):
        ledger.log.counts(question, [])


@pytest.mark.usefixtures("nothing_kept")
def test_a_page_of_verdicts_may_be_short_and_goes_on(
    ledger: Ledger, readings: Sequence[tuple[Moment, Plain]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.lists_log.MAX_JUDGED", 5)
    monkeypatch.setattr("api.lists_log._AT_ONCE", 4)
    when, plain = readings[0]
    query = parse("-verdict:not_pressure_shaped data.stage:*")
    question = LogQuestion(query=query, moment=when)

    page = ledger.log.page(question, limit=50)

    assert len(page.events) < 50
    assert page.last is not None
    assert every(ledger, question) == [event.position for event in plain.holding(query)]
