"""The page that documents the views for auditors, made from the catalogue of a ledger."""

from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, Final, LiteralString, NamedTuple, TypeAlias

import psycopg

Session: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_RELATIONS: Final[LiteralString] = """
SELECT c.relname, obj_description(c.oid, 'pg_class'),
       array_agg(ARRAY[a.attname::text, format_type(a.atttypid, a.atttypmod),
                       coalesce(col_description(c.oid, a.attnum), '')] ORDER BY a.attnum)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'v'
 GROUP BY c.oid ORDER BY c.relname
"""
_FUNCTIONS: Final[LiteralString] = """
SELECT p.proname, pg_get_function_identity_arguments(p.oid), obj_description(p.oid, 'pg_proc')
  FROM pg_proc p
 WHERE p.pronamespace = current_schema()::regnamespace AND p.pronargs > 0 ORDER BY p.proname
"""


class View(NamedTuple):
    """A view with what the catalogue says of it; each column is a name, a type and a meaning."""

    name: str
    meaning: str | None
    columns: Sequence[tuple[str, str, str]]


class Question(NamedTuple):
    """A worked question: its file, what it asks and why, and the SQL."""

    name: str
    title: str
    text: str
    sql: str


def views(session: Session) -> list[View]:
    """Give the views of the schema that a session stands in."""
    return [View(*row) for row in session.execute(_RELATIONS).fetchall()]


def questions() -> list[Question]:
    """Give the worked questions: the first line of a file is what it asks, as a comment."""
    folder = resources.files("api.audit") / "questions"
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [_question(one.name, one.read_text("utf-8")) for one in files if one.name[-4:] == ".sql"]


def _question(name: str, text: str) -> Question:
    lines = text.splitlines()
    comments = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    return Question(name, comments[0], " ".join(comments[1:]), sql.strip())


def page(session: Session) -> str:
    """Give docs/audit-sql.md."""
    return "\n".join(_page(session)) + "\n"


def _page(session: Session) -> Iterator[str]:
    head, _, rest = _template().partition("<!-- views -->\n")
    asked, _, end = rest.partition("<!-- questions -->\n")
    yield head.rstrip("\n")
    for view in views(session):
        yield from _section(view)
    for name, arguments, meaning in session.execute(_FUNCTIONS).fetchall():
        yield from ("", f"### `{name}({arguments})`", "", meaning or "")
    yield "\n" + asked.rstrip("\n")
    for number, question in enumerate(questions(), start=1):
        yield from ("", f"### {number}. {question.title}", "", question.text, "")
        yield from (f"`api/audit/questions/{question.name}`", "", "```sql", question.sql, "```")
    yield end.rstrip("\n") if end.strip() else ""


def _section(view: View) -> Iterator[str]:
    yield from ("", f"### `{view.name}`", "", view.meaning or "", "")
    yield from ("| column | type | meaning |", "|---|---|---|")
    for name, kind, meaning in view.columns:
        escaped = meaning.replace("|", "\\|")
        yield f"| `{name}` | {kind} | {escaped} |"


def _template() -> str:
    return (resources.files("api.audit") / "page.txt").read_text("utf-8")
