"""The product is killed under load, and every answer that it gave is held against its log.

Holds `docs/guarantees.md`, G1, G2, G3, G5, G6, G12 and G22. This is the short form of
`scripts/crash`; docs/crash.md says what is checked.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crash.run import crash
from tests.support.postgres import home_of_run

KILLS = ("kill backend", "kill server", "hold backends", "terminate")
READY_SECONDS = 10.0
STOP_SECONDS = 12.0
ROOM = 3.0
"""How many times as long as promised it may take on a machine that does other things too."""


@pytest.fixture
def home() -> Iterator[Path]:
    with home_of_run() as folder:
        yield folder / "home"


@pytest.mark.slow
@pytest.mark.timeout(300)  # starts take many times as long on a machine that does other things too
def test_what_was_acknowledged_survives_every_way_to_die(home: Path) -> None:
    outcome = crash(home, kills=KILLS, acknowledgements=100, clients=3, seed=7)

    assert outcome.violations == []
    assert outcome.acknowledged >= 100
    assert [one.kind for one in outcome.survived] == list(KILLS)
    assert max(one.ready_seconds for one in outcome.survived) < READY_SECONDS * ROOM
    for one in outcome.survived:
        if one.exit_seconds is not None:
            assert one.exit_code == 0
            assert one.exit_seconds < STOP_SECONDS * ROOM
