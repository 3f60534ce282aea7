"""Terms about payloads as conditions on the rows of the log."""

from typing import Final

from psycopg import sql

from api.query.fields import readable
from api.query.payload import Kind, Place
from api.query.tree import Between, Given, Leaf, Term
from api.query.writing import NOTHING, Writing, ends_of

# Each reads nothing but what is of its kind, whatever else somebody wrote there.
_AS_NUMBER: Final = sql.SQL(r"(CASE WHEN {0} ~ '^-?[0-9]+(\.[0-9]+)?$' THEN ({0})::numeric END)")
_AS_INSTANT: Final = sql.SQL(
    "(CASE WHEN {0} ~ '^[0-9-]{{10}}T[0-9:.]+Z$' THEN ({0})::timestamptz END)"
)
_AS_BYTES: Final = sql.SQL('({}) COLLATE "C"')
_LISTED: Final = sql.SQL(
    "(CASE WHEN json_typeof({list}) = 'array' THEN EXISTS ("
    "SELECT FROM json_array_elements_text({list}) AS one WHERE one = ANY({of})) END)"
)
_EQUAL_ONLY: Final = frozenset({"text", "texts", "truth"})


def payload_condition(writing: Writing, leaf: Leaf, place: Place) -> sql.Composed:
    """Give where a payload says so; what has another kind of value there says nothing."""
    path = writing.value(list(place.path))
    made = [
        sql.SQL("(CASE WHEN topic = ANY({}) THEN {} END)").format(
            writing.value(list(topics)), condition
        )
        for kind, topics in place.topics.items()
        if (condition := _of_kind(writing, leaf, kind, path)) is not None
    ]
    if not made:
        return sql.SQL("{}").format(NOTHING)
    # Said once more by itself: an index finds these events, and none finds what they say.
    topics = sorted({topic for some in place.topics.values() for topic in some})
    return sql.SQL("{} AND ({})").format(
        writing.equal(writing.columns["type"], topics), sql.SQL(" OR ").join(made)
    )


def _of_kind(
    writing: Writing, leaf: Leaf, kind: Kind, path: sql.Composable
) -> sql.Composable | None:
    """Give what a term asks of one kind of value; None where its own values are of another."""
    said = sql.SQL("(data #>> {}::text[])").format(path)
    match leaf:
        case Given():
            return sql.SQL("{} IS NOT NULL").format(said)
        case Between():
            return _between(writing, leaf, kind, said)
        case Term(comparison=comparison) if comparison != ":" and kind in _EQUAL_ONLY:
            return None
        case Term() if kind == "anything":
            return _anything(writing, leaf, said)
        case Term():
            return _compared(writing, leaf, kind, path, said)


def _compared(
    writing: Writing, term: Term, kind: Kind, path: sql.Composable, said: sql.Composable
) -> sql.Composable | None:
    known = [one for word in term.values if (one := readable(kind, word)) is not None]
    if not known:
        return None
    match kind:
        case "number":
            return writing.compared(_AS_NUMBER.format(said), term.comparison, known)
        case "instant":
            return writing.at(_AS_INSTANT.format(said), term)
        case "truth":
            return writing.equal(said, ["true" if one else "false" for one in known])
        case "texts":
            listed = sql.SQL("(data #> {}::text[])").format(path)
            return _LISTED.format(list=listed, of=writing.value(known))
        case _:
            # Days compare as the texts that they are.
            return writing.compared(_AS_BYTES.format(said), term.comparison, list(map(str, known)))


def _between(
    writing: Writing, range_: Between, kind: Kind, said: sql.Composable
) -> sql.Composable | None:
    if kind == "instant":
        return writing.between(_AS_INSTANT.format(said), range_)
    days = [(comparison, readable("day", end)) for comparison, end in ends_of(range_)]
    if kind != "day" or any(day is None for _, day in days):
        return None
    column = _AS_BYTES.format(said)
    return sql.SQL(" AND ").join(writing.compared(column, how, [str(day)]) for how, day in days)


def _anything(writing: Writing, term: Term, said: sql.Composable) -> sql.Composable:
    """Compare as numbers where both are, else as texts."""
    numbers = [one for word in term.values if (one := readable("number", word)) is not None]
    texts = [word.text for word in term.values]
    made: list[sql.Composable] = []
    if numbers:
        made.append(writing.compared(_AS_NUMBER.format(said), term.comparison, numbers))
    if term.comparison == ":":
        made.append(writing.equal(said, texts))
    elif not numbers:
        made.append(writing.compared(_AS_BYTES.format(said), term.comparison, texts))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(made))
