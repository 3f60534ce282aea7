"""What style sheets may not do to those who read by keyboard, by ear or by touch."""

import re
from pathlib import Path
from typing import Final

import pytest

STYLES: Final = Path(__file__).parents[2] / "api" / "web" / "static"


@pytest.mark.parametrize("style", sorted(STYLES.glob("*.css")), ids=lambda path: path.name)
def test_what_is_shown_stands_in_the_order_in_which_it_is_read(style: Path) -> None:
    found = re.search(r"(?<![\w-])order\s*:|display:\s*contents|-reverse\b", style.read_text())

    assert found is None


def test_nothing_waits_for_a_pointer_to_hover_where_a_finger_may_press() -> None:
    asked = [
        condition
        for path in sorted(STYLES.glob("*.css"))
        for condition in re.findall(r"@media ([^{]*\bhover: hover[^{]*?) {", path.read_text())
    ]

    assert asked == ["(hover: hover) and (not (any-pointer: coarse))"] * len(asked)
    assert asked
