"""The board as the application gives it, of the same made-up company."""

from typing import Any

from api.board import MAX_CARDS
from tests.support.web_answers import DEAL_ID, STAGES, as_of, usd


def board_answer(cards: int = 4) -> dict[str, Any]:
    columns = [
        _column(stage, name, None, cards=max(1, cards - index))
        for index, (stage, name, _) in enumerate(STAGES)
    ]
    columns += [_column("won", "Won", "won", cards=cards), _column("lost", "Lost", "lost", cards=0)]
    return {
        "as_of": as_of(),
        "effective_at": "2026-09-30T18:00:00Z",
        "quarter": {"name": "FY2026Q3", "start": "2026-07-01", "end": "2026-10-01", "days_left": 1},
        "attainment": {"quota": usd("1200000.00"), "attained": usd("996000.00")},
        "open_total": [usd("1160000.00")],
        "ticks": {"evidenced": 60, "evidenced_late": 4, "asserted_only": 20, "bare_tick": 16},
        "pressure_shaped": 9,
        "evaluable": 195,
        "columns": columns,
        "owners": [{"id": "amara", "name": "Amara Osei"}, {"id": "jon", "name": "Jon Bruun"}],
    }


def _column(stage: str, name: str, closed: str | None, *, cards: int) -> dict[str, Any]:
    deals = [_card(stage, number) for number in range(cards)]
    total = [usd(str(sum(int(deal["amount"]["amount"]) for deal in deals)))] if deals else []
    return {
        "stage": {"id": stage, "name": name},
        "closed": closed,
        "count": len(deals),
        "total": total,
        "skip": 0,
        "deals": deals[:MAX_CARDS],
    }


def _card(stage: str, number: int) -> dict[str, Any]:
    names = ["Halden Marine", "Ostrava Steel", "Lumen Grid", "Quarry & Co", "Tidewater Ports"]
    seed = len(stage) + number
    return {
        "deal_id": DEAL_ID,
        "name": f"Dock scheduling, phase {number + 1}",
        "account": {"id": str(seed), "name": names[seed % 5]},
        "owner": {"id": "jon", "name": "Jon Bruun"}
        if seed % 3
        else {"id": "amara", "name": "Amara Osei"},
        "amount": usd(str(20_000 + 7_000 * seed)),
        "close_date": "2026-10-15" if seed % 4 else None,
        "checkbox_only": 0.5,
        "counts": {
            "evidenced": seed % 4,
            "bare_tick": seed % 3,
            "asserted_only": 1,
            "pending": seed % 2,
        },
        "pressure_shaped": seed % 3,
        "evaluable": 8,
        "discount": "12.5" if seed % 2 else None,
    }
