"""The description and the server agree: what is generated from it finds no fault."""

from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.client import TOKEN
from tests.support.served import served

SIGNED_IN: Final = {"Authorization": f"Bearer {TOKEN}"}
EXAMPLES: Final = 2
"""Requests of each kind for each operation; more of them take minutes and are run by hand."""
ENDLESS: Final = "/v1/events/stream"
"""Has no end that a client could wait for; its own tests follow it."""
ANY_TEXT: Final = ("/v1/events:bulk", GenerationMode.NEGATIVE)
"""Takes any text, and says line by line what is wrong with it."""
NOT_HELD: Final = [positive_data_acceptance]
"""That whatever has the right form is accepted: an instant may lie in the future, a key may have
been used, a cursor may be forged. Each is refused with 422, which no schema can foretell."""


@schemathesis.serializer("application/x-ndjson")
def one_line(_: Any, value: Any) -> bytes:
    """Write a generated body as a bulk request, whose lines are given as one text."""
    return str(value).encode("utf-8", "replace")


@pytest.mark.slow
def test_no_request_finds_the_server_other_than_described(database: str) -> None:
    with served(database) as url:
        described = schemathesis.openapi.from_url(f"{url}/openapi.json", headers=SIGNED_IN)
        operations = [
            found.ok() for found in described.get_all_operations() if isinstance(found, Ok)
        ]
        faults = {
            (operation.label, mode.value): fault
            for operation in operations
            for mode in GenerationMode
            if operation.path != ENDLESS and (operation.path, mode) != ANY_TEXT
            if (fault := _fault(operation, mode))
        }

    assert len(operations) > 40
    assert faults == {}


def _fault(operation: Any, mode: GenerationMode) -> str | None:
    """Give what is wrong with an operation's answers to lawful or to unlawful requests."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answered_as_described(case: Any) -> None:
        case.call_and_validate(headers=SIGNED_IN, excluded_checks=NOT_HELD)

    try:
        answered_as_described()
    except FailureGroup as group:
        return str(group.exceptions[0])
    except Unsatisfiable:
        return None  # an operation without parameters can be asked in no unlawful way
    return None
