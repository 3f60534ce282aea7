"""The page on queries of the log says every field and every bound as the code has it."""

import re
from pathlib import Path

from api.lists_log import MAX_COUNTED, MAX_GROUPS, MAX_JUDGED, MAX_LIMIT
from api.query import parser
from api.query.counting import DIMENSIONS
from api.query.fields import FIELDS, RULES
from api.query.parser import parse
from api.query.question import SORTS

PAGE = (Path(__file__).parents[2] / "docs/audit.md").read_text(encoding="utf-8")
FIELD = re.compile(r"^\| `([a-z_]+)` \| (.+) \|$", re.MULTILINE)


def test_the_page_says_of_every_field_what_the_code_says() -> None:
    assert dict(FIELD.findall(PAGE)) == {name: field.says for name, field in FIELDS.items()}


def test_the_page_names_what_can_be_named() -> None:
    names = {*FIELDS["verdict"].names, *DIMENSIONS, *(sort for sort in SORTS if sort[0] != "-")}

    assert {name for name in names if f"`{name}`" not in PAGE} == set()
    assert f"`{RULES[0]}` to `{RULES[-1]}`" in PAGE


def test_the_page_states_the_bounds_of_the_code() -> None:
    for said in (
        f"at most {parser.MAX_LENGTH:,} characters, {parser.MAX_TERMS} terms",
        f"{parser.MAX_VALUES} values in a term",
        f"parentheses, {parser.MAX_DEPTH} deep",
        f"(100, at most {MAX_LIMIT:,})",
        f"at most about {MAX_JUDGED:,} events",
        f"at most {MAX_GROUPS:,} of them",
        f"at most {MAX_COUNTED:,} events",
    ):
        assert said in PAGE, said


def test_every_query_of_the_page_can_be_asked() -> None:
    asked = PAGE.partition("## Questions that auditors ask")[2]
    examples = PAGE.partition("| written | holds for |")[2].partition("A query has")[0]
    queries = [text for text in re.findall(r"`([^`]+:[^`]+)`", asked + examples) if ":" in text]

    assert len(queries) >= 20
    for text in queries:
        parse(text)
