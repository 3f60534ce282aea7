import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.events.life import ProcessVersion
from domain.values import (
    Amount,
    CommitmentLevel,
    FiscalYear,
    Identifier,
    Level,
    LongText,
    Percent,
    Rate,
    Share,
    ShortText,
)

ADAPTERS: list[TypeAdapter[Any]] = [
    TypeAdapter(kind) for kind in (Amount, Rate, Percent, Share, Identifier, ShortText, LongText)
]
NUMBERS = st.from_regex(r"-?[0-9]{1,22}(\.[0-9]{0,8})?", fullmatch=True)
TEXTS = st.text(alphabet=st.sampled_from("a ß\t\n\r\x00\x7f\x85\u00a0"), max_size=6)


@pytest.mark.parametrize("adapter", ADAPTERS)
@given(value=NUMBERS | TEXTS | st.sampled_from(["100", "100.0", "1.000", "-0", "0.0", "1e1"]))
def test_the_published_pattern_says_what_is_accepted(adapter: TypeAdapter[Any], value: str) -> None:
    schema = adapter.json_schema()
    promised = re.search(schema["pattern"].removesuffix("$") + r"\Z", value) is not None

    try:
        read = adapter.validate_json(json.dumps(value))
    except ValidationError:
        assert not promised or len(value) < schema.get("minLength", 0)
    else:
        assert promised
        assert adapter.dump_json(read) == json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize("whole", [ProcessVersion, FiscalYear, Level, CommitmentLevel])
@given(number=st.integers(-10, 3000) | st.floats(-10, 3000) | st.booleans() | NUMBERS)
def test_a_whole_number_may_be_written_as_json_schema_lets_it(
    whole: Any, number: float | str
) -> None:
    adapter = TypeAdapter[Any](whole)
    schema = adapter.json_schema()
    promised = (
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and number == int(number)
        and schema["minimum"] <= number <= schema["maximum"]
    )

    try:
        read = adapter.validate_json(json.dumps(number))
    except ValidationError:
        assert not promised
    else:
        assert promised
        assert repr(read) == repr(int(number))
