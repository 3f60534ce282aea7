"""Names of imported lines: the short way says what the model says."""

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.exchange.own_lines import MAX_NAME, is_name
from domain.values import ShortText

MODEL: TypeAdapter[str] = TypeAdapter(ShortText)


@given(st.text(max_size=8) | st.text("a \t\n\x7f~é", max_size=4))
@example("")
@example("   ")
@example("a" * MAX_NAME)
@example("a" * (MAX_NAME + 1))
@example(" a\x00")
def test_a_name_is_what_the_model_takes_as_one(text: str) -> None:
    try:
        MODEL.validate_python(text)
    except ValidationError:
        assert not is_name(text)
    else:
        assert is_name(text)
