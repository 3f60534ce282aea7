"""What style sheets may not do to those who read by keyboard, by ear or by touch."""

import re
from pathlib import Path
from typing import Final

STYLES: Final = Path(__file__).parents[2] / "api" / "web" / "static"


def test_a_deal_is_shown_in_the_order_in_which_it_is_read() -> None:
    style = (STYLES / "deal.css").read_text()

    assert not re.search(r"(?<![\w-])order\s*:|display:\s*contents|-reverse\b", style)


def test_nothing_waits_for_a_pointer_to_hover_where_a_finger_may_press() -> None:
    asked = [
        condition
        for path in sorted(STYLES.glob("*.css"))
        for condition in re.findall(r"@media ([^{]*\bhover: hover[^{]*?) {", path.read_text())
    ]

    assert asked == ["(hover: hover) and (not (any-pointer: coarse))"] * len(asked)
    assert asked
