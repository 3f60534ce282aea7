"""The description and the server agree: what is generated from it finds no fault."""

import os
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.imports import Uploads
from tests.support.client import TOKEN
from tests.support.served import served

SIGNED_IN: Final = {"Authorization": f"Bearer {TOKEN}"}
EXAMPLES: Final = int(os.environ.get("OPENAPI_EXAMPLES", "1"))
"""Requests of each kind for each operation; `OPENAPI_EXAMPLES=50` takes minutes, by hand."""
SECONDS: Final = 60.0
"""How long the description may take, which is made when it is asked for first."""
ENDLESS: Final = "/v1/events/stream"
"""Has no end that a client could wait for; its own tests follow it."""
ANY_TEXT: Final = ("/v1/events:bulk", GenerationMode.NEGATIVE)
"""Takes any text, and says line by line what is wrong with it."""
MALFORMED: Final = frozenset({400, 406, 413, 414, 415, 417, 422, 431})
"""What a request of the right form must not be answered, but for what no form can foretell."""
FORETOLD_BY_NO_FORM: Final = frozenset(
    {("beyond_the_log", None), ("idempotency_key_reused", None), ("malformed", "cursor")}
)
"""A moment that has not come, a key that was used, a cursor that is forged: code, and field."""


@schemathesis.serializer("application/x-ndjson")
def one_line(_: Any, value: Any) -> bytes:
    """Write a generated body as a bulk request, whose lines are given as one text."""
    return str(value).encode("utf-8", "replace")


@pytest.mark.slow
def test_no_request_finds_the_server_other_than_described(database: str, tmp_path: Path) -> None:
    with served(database, uploads=Uploads(tmp_path)) as url:
        described = schemathesis.openapi.from_url(
            f"{url}/openapi.json", headers=SIGNED_IN, timeout=SECONDS
        )
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
    assert faults == {}, "\n".join(map(str, faults.items()))


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
        # That check is ours below: its own exceptions are statuses, and 422 has too many reasons.
        answer = case.call_and_validate(
            headers=SIGNED_IN, excluded_checks=[positive_data_acceptance]
        )
        if mode.is_positive:
            _ensure_taken(answer)

    try:
        answered_as_described()
    except FailureGroup as group:
        return str(group.exceptions[0])
    except Unsatisfiable:
        return None  # an operation without parameters can be asked in no unlawful way
    except AssertionError as refusal:
        return str(refusal)
    return None


def _ensure_taken(answer: Any) -> None:
    if HTTPStatus(answer.status_code) in MALFORMED:
        told = answer.json()
        reasons = {(told["code"], None), (told["code"], told["field"])}
        assert reasons & FORETOLD_BY_NO_FORM, f"{answer.request.url}: {told}"
