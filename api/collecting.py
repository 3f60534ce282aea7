"""How often a process looks for cycles among its objects."""

import gc
from typing import Final

_YOUNG: Final = 50_000
"""New objects between two looks: a question about many deals makes more than the usual 700."""
_MIDDLE: Final = 20
_OLD: Final = 100


def collect_seldom() -> None:
    """Leave out what a process holds from its start on, and look at the rest seldom.

    Events, states and answers have no cycles; each look at the whole heap stops a question for as
    long as the question itself takes.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
