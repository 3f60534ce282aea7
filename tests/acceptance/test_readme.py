"""The README's tour runs as it is written, against a real server with the sample company."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.bootstrap_server import build_app
from api.cli_exchange import load_sample
from tests.support.browser import serving
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA, ledger_on
from tests.support.roles import under_roles
from tests.support.working import in_thread

README = Path(__file__).parents[2] / "README.md"


def tour() -> str:
    blocks = re.findall(
        r"^```bash\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 5
    # A line end after each answer, so that the answers can be told apart.
    return (
        "\n".join(blocks)
        .replace('"$URL$1"; }', '"$URL$1"; echo; }')
        .replace('-d "$3"; }', '-d "$3"; echo; }')
    )


def test_the_tour_runs_as_written(database: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the tour needs curl")
    with ledger_on(database) as ledger:
        load_sample(ledger)
    script = tour().replace("/tmp/opened.json", str(tmp_path / "opened.json"))
    with (
        under_roles(database, schema=SCHEMA) as ledger,
        serving(build_app(ledger, token=TOKEN)) as url,
        in_thread(ledger.worker),
    ):
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={**os.environ, "URL": url, "TOKEN": TOKEN},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ran.returncode == 0, ran.stderr
    answers = [json.loads(line) for line in ran.stdout.splitlines() if line.strip()]
    assert len(answers) == 15
    assert [a.get("status") for a in answers if "code" in a] == []
    progress, pressure, history = answers[2], answers[5], answers[6]
    assert progress["counts"]["pending"] == 1
    assert [e["type"] for e in pressure["events"]] == ["stage_entered", "discount_offered"]
    assert len(history["events"]) == 5
    assert len(answers[7]["deals"]) == 3
    quarter, frames, known, happened, offers, counted = answers[9:]
    assert quarter["pipeline"]["open"]["deals"] > 0
    assert len(frames["frames"]) >= 90
    assert known["won"]["deals"] > 0
    assert [one["replay"]["clock"] for one in (known, happened)] == ["as_known", "as_happened"]
    assert len(offers["events"]) == 3
    assert counted["total"] == sum(group["count"] for group in counted["groups"]) > 0
