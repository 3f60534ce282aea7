"""Every case, in the order in which they are measured."""

from typing import Final

from api.bench import (
    auditing,
    boards,
    bringing_in,
    exporting,
    projecting,
    serving,
    timing,
    writing,
)
from api.bench.harness import Case

CASES: Final[tuple[Case, ...]] = (
    *writing.CASES,
    *bringing_in.CASES,
    *serving.CASES,
    *timing.CASES,
    *auditing.CASES,
    *boards.CASES,
    *exporting.CASES,
    *projecting.CASES,
)
