"""Stands where the application will: gives the made-up answers."""

from collections.abc import Mapping
from typing import Any

from api.web.reads import BadQuestionError, BoardFilters, NoSuchPageError
from tests.support.web_answers import (
    BARE_ID,
    DEAL_ID,
    LONG_ID,
    bare_answer,
    deal_answer,
    long_answer,
)
from tests.support.web_board import board_answer


class FakeReads:
    """Answers by deal; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str | None]] = []
        self.deals = {DEAL_ID: deal_answer(), BARE_ID: bare_answer(), LONG_ID: long_answer()}
        self.board_answer = board_answer(cards=12)

    def board(
        self, *, as_of: str | None, effective_at: str | None, filters: BoardFilters
    ) -> Mapping[str, Any]:
        self._ask(as_of, effective_at)
        return self.board_answer

    def deal(
        self, deal_id: str, *, as_of: str | None, effective_at: str | None
    ) -> Mapping[str, Any]:
        self._ask(as_of, effective_at)
        if deal_id not in self.deals:
            raise NoSuchPageError(f"there is no deal {deal_id}")
        return self.deals[deal_id]

    def _ask(self, as_of: str | None, effective_at: str | None) -> None:
        if as_of == "yesterday":
            raise BadQuestionError("as_of: 'yesterday' is neither an instant nor position:N")
        self.asked.append((as_of, effective_at))
