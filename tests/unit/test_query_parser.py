"""Queries of the log are read as they are written, or refused where they cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.query.errors import QueryError
from api.query.fields import FIELDS
from api.query.parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, MAX_VALUES, parse
from api.query.tree import (
    EVERYTHING,
    Between,
    Given,
    Leaf,
    Term,
    Word,
    all_of,
    any_of,
    negated,
    render,
    term,
)
from tests.support.queries import trees

ANN, BEN, CYD = (term("rep", name) for name in ("ann", "ben", "cyd"))
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12
)
NUMBERS = st.decimals(-1000, 1000, places=2).map(lambda number: format(number + 0, "f"))
DAYS = st.dates().filter(lambda day: 1900 <= day.year <= 2999).map(str)
COMPARISONS = st.sampled_from([":", "<", "<=", ">", ">="])


def leaf(name: str, comparison: str, *values: str) -> Leaf:
    return Term(Word(name), comparison, tuple(map(Word, values)))  # type: ignore[arg-type]  # drawn


LEAVES: st.SearchStrategy[Leaf] = st.one_of(
    st.builds(
        lambda name, values: leaf(name, ":", *values),
        st.sampled_from(["rep", "stage", "account", "data.reason", "data.shares.ben"]),
        st.lists(TEXTS, min_size=1, max_size=3),
    ),
    st.builds(leaf, st.just("amount"), COMPARISONS, NUMBERS.filter(lambda n: n != "-0.00")),
    st.builds(leaf, st.just("occurred"), COMPARISONS, DAYS),
    st.builds(
        lambda days: Between(Word("recorded"), Word(days[0]), Word(days[1])),
        st.lists(DAYS, min_size=2, max_size=2, unique=True).map(sorted),
    ),
    st.sampled_from([*FIELDS, "data.percent"]).map(lambda name: Given(Word(name))),
)


@given(trees(LEAVES))
def test_what_is_written_is_read_as_the_same_tree(query: object) -> None:
    text = render(query)  # type: ignore[arg-type]  # drawn
    if len(text) <= MAX_LENGTH:
        assert parse(text) == query
        assert render(parse(text)) == text


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_its_column(text: str) -> None:
    refusals: list[QueryError] = []
    try:
        parse(text)
    except QueryError as error:
        refusals.append(error)

    assert all(1 <= refusal.column <= len(text) + 1 for refusal in refusals)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("rep:ann", ANN),
        ("rep=ann", ANN),
        ("rep:ann rep:ben", all_of([ANN, BEN])),
        ("rep:ann AND rep:ben", all_of([ANN, BEN])),
        ("rep:ann or rep:ben rep:cyd", any_of([ANN, all_of([BEN, CYD])])),
        ("(rep:ann or rep:ben) rep:cyd", all_of([any_of([ANN, BEN]), CYD])),
        ("-rep:ann", negated(ANN)),
        ("not rep:ann", negated(ANN)),
        ("rep!=ann", negated(ANN)),
        ("not (not rep:ann)", ANN),
        ("-(rep:ann or rep:ben)", negated(any_of([ANN, BEN]))),
        ('stage:"Closed won",prove', term("stage", "Closed won", "prove")),
        (r'rep:"a\"b\\"', term("rep", 'a"b\\')),
        ("rep:or", term("rep", "or")),
        ("data.percent>=20", term("data.percent", "20", comparison=">=")),
        ("recorded:..2026-01-01", Between(Word("recorded"), None, Word("2026-01-01"))),
        ("data.reason:*", Given(Word("data.reason"))),
        ('data.reason:"*"', term("data.reason", "*")),
    ],
)
def test_a_query_means(text: str, query: object) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "column", "said", "meant"),
    [
        ("rep", 4, 'expected ":"', None),
        ("rep:", 5, "expected a value", None),
        ("rep:ann,", 9, "expected a value", None),
        ("rep:ann or", 11, "expected a term", None),
        ("or rep:ann", 1, "expected a term", None),
        ("rep:ann )", 9, "never opened", None),
        ("(rep:ann", 9, "column 1", None),
        ('rep:"ann', 5, "never closed", None),
        ("rep:>3", 5, "quotation marks", None),
        ("repp:ann", 1, "no field", "rep"),
        ("percent>3", 1, "no field", "data.percent"),
        ("data.percnt>3", 1, "no type of event", "data.percent"),
        ("rep:ann type:discount_ofered", 14, "no type", "discount_offered"),
        ("rule:PR-1", 6, "PS-5", "PS-1"),
        ("verdict:pressure_shapd", 9, "no verdict", "pressure_shaped"),
        ("late:maybe", 6, "yes or no", None),
        ("amount>much", 8, "a number", None),
        ("amount>1,2", 10, "one value", None),
        ("days_left<=1.5", 12, "a whole number", None),
        ("quarter:2026Q1", 9, "FY2026Q4", None),
        ("recorded>=yesterday", 11, "2026-01-31", None),
        ("recorded>=2026-01-31T18:00:00", 11, "with its zone", None),
        ("recorded:2026-02-30..", 10, "a day", None),
        ("recorded:2026-02-01..2026-02-01", 10, "does not belong to it", None),
        ("recorded:..", 10, "beginning or an end", None),
        ("amount:1..3", 8, "amount>= and amount<=", None),
        ("rep>ann", 1, "equal or not", None),
        ("data.account:x", 1, "data.account.id", None),
        ("data.percent:x", 14, "a number", None),
    ],
)
def test_a_mistake_is_told_with_its_column(
    text: str, column: int, said: str, meant: str | None
) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)

    error = refused.value
    assert (error.column, error.meant) == (column, meant)
    assert said in error.expected
    assert f"q, column {column}: " in error.detail


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        "(" * (MAX_DEPTH + 2) + "rep:ann" + ")" * (MAX_DEPTH + 2),
        "-" * (MAX_DEPTH + 2) + "rep:ann",
        " ".join(["rep:a"] * (MAX_TERMS + 1)),
        "rep:" + ",".join("a" * (MAX_VALUES + 1)),
        "rep:ann\x00",
        'rep:"ann\x01"',
    ],
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)
