"""The documentation says what the code does: settings, commands, guarantees, links."""

import re
from pathlib import Path

from api.cli import COMMANDS
from api.settings import Settings, variable_of

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)


def test_the_readme_lists_every_setting_with_its_meaning() -> None:
    told = {name: text for name, text in ROW.findall(README) if name.startswith("DEALTRAIL_")}

    assert told == {variable_of(n): f.description for n, f in Settings.model_fields.items()}


def test_the_readme_lists_every_command() -> None:
    told = {name.split()[1] for name, _ in ROW.findall(README) if name.startswith("dealtrail ")}

    assert told == set(COMMANDS)


def test_every_guarantee_names_tests_that_exist() -> None:
    text = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (G\d+) \|.*\| (.+) \|$", text, re.MULTILINE)

    assert len(rows) >= 10
    for row, tests in rows:
        for path in re.findall(r"`([^`]+)`", tests):
            assert (ROOT / path).is_file(), (row, path)


def test_links_lead_to_files_that_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), (page.name, target)


def test_code_that_pages_name_exists() -> None:
    named = re.compile(r"`((?:api|domain|projections|tests|scripts|docs)/[\w/.-]+)`")
    for page in PAGES:
        for target in named.findall(page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), (page.name, target)


def test_no_page_names_a_machine() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"/root/|/home/|/work/", text), page.name
