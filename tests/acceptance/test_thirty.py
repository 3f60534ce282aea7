"""The worked example EX30 from a file of lines to its verdicts."""

from pathlib import Path
from typing import Any
from uuid import UUID

from api.bootstrap import Ledger
from api.moment import moment
from tests.support.ledgers import NOW, import_lines, ledger_on
from tests.support.thirty import thirty_lines
from tests.support.worked_examples import worked_example


def answers(ledger: Ledger) -> tuple[Any, Any, Any]:
    deal_id = UUID(ledger.store.stream_ids_of("D1")[0].partition(":")[2])
    now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
    seen = ledger.questions.seen(deal_id, now)
    questions = ledger.questions
    return questions.progress(seen), questions.pressure(seen), questions.conformance(seen)


def test_the_example_gives_its_verdicts_shares_and_money(database: str, tmp_path: Path) -> None:
    expected = worked_example("EX30")["expect"]
    with ledger_on(database) as ledger:
        report = import_lines(ledger, tmp_path, thirty_lines())
        progress, pressure, conformance = answers(ledger)

    assert report.rejects == ()
    rows = expected["rows_id_type_dte_attained_P_cause_verdict"]
    for event, (_, _, left, attained, pressed, cause, verdict) in zip(
        pressure["events"], rows, strict=True
    ):
        assert event["days_left"] == left
        assert float(event["attained"]["amount"]) == float(attained)
        assert event["pressure"] == pressed
        assert event["cause"] == cause
        assert event["verdict"] == verdict
    assert progress["checkbox_only"] == expected["checkbox_only_share"]
    movement = progress["customer_led_movement"]
    assert f"{movement['led']}/{movement['steps']}" == expected["customer_led_movement"]
    assert {a["activity"]: a["status"] for a in progress["activities"]} == expected["activity"]
    assert conformance["alignment"]["fitness"] == expected["stage_fitness"]
    money = [pressure["money"][key]["amount"] for key in ("offered", "realised", "floor")]
    assert money == expected["money_offered_realised_floor"]
    before = expected["counterfactual"]
    assert pressure["counterfactual"]["net"]["amount"] == before["net_at_previous_offer"]
    assert pressure["counterfactual"]["close_date"] == before["close_date_before_pull_in"]
    step = pressure["events"][5]["facts"][3]["value"][1]
    assert (step["p"], step["baseline"]["n"]) == (0.047619, 20)


def test_the_same_lines_again_change_nothing(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        first = import_lines(ledger, tmp_path, thirty_lines())
        head = ledger.store.head().position
        again = import_lines(ledger, tmp_path, thirty_lines())

        assert again.events_made == 0
        assert again.duplicates == first.events_made
        assert ledger.store.head().position == head
