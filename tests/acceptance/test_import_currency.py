"""Newer exports of a deal that is in another currency since: earlier amounts stay as they were."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.storage.event_store import EventStore
from tests.support.exports import PACK, Rows, rewritten, rewritten_json, weekly_export
from tests.support.hubspot import version
from tests.support.newer import HubspotDeal, deal, imported, in_pipedrive, told
from tests.support.pipedrive import change as in_flow

OPENED, STAGED = "2024-08-05T13:12:00.000Z", "2024-08-21T13:31:00.000Z"
RAISED, IN_EUROS, LAST = "2024-09-02T10:00:00Z", "2024-10-02T10:00:00Z", "2025-06-01T09:00:00Z"


class Exports(HubspotDeal):
    @property
    def amounts(self) -> list[str]:
        return amounts(self._store, self.id, "hubspot")


def amounts(store: EventStore, external_id: str, system: str) -> list[str]:
    """What a deal was worth from its opening on, as it stands."""
    events = deal(store, external_id, system)
    found = [*told(events, "deal_opened"), *told(events, "amount_changed")]
    return [f"{one.amount.amount} {one.amount.currency}" for one in found]  # type: ignore[attr-defined]  # of these kinds


@pytest.fixture
def exports(store: EventStore, shared_data: Path, tmp_path: Path) -> Exports:
    return Exports(store, shared_data / PACK / "hubspot_v3", tmp_path)


STAGES = [
    version("appointmentscheduled", OPENED),
    version("qualifiedtobuy", STAGED),
    version("presentationscheduled", RAISED),
]
AMOUNT = [version("100", OPENED), version("200", RAISED)]
CURRENCY = [version("USD", OPENED), version("EUR", IN_EUROS)]


@pytest.mark.parametrize("kept", [slice(None), slice(1, None)], ids=["amounts", "the last amount"])
def test_amounts_stay_in_their_currency_once_its_history_is_cut(
    kept: slice, exports: Exports
) -> None:
    full = {"dealstage": STAGES, "amount": AMOUNT, "deal_currency_code": CURRENCY}
    exports.take(IN_EUROS, currency="EUR", **full)
    before = exports.amounts

    cut = {"amount": AMOUNT[kept], "deal_currency_code": CURRENCY[1:]}
    report = exports.take(LAST, currency="EUR", dealstage=STAGES[kept], **cut)

    assert before == ["100 USD", "200 USD", "200 EUR"]
    assert (report.events_made, list(report.rejects)) == (0, [])
    assert exports.amounts == before


@pytest.mark.parametrize("kept", [slice(None), slice(1, None)], ids=["amounts", "the last amount"])
@pytest.mark.parametrize("moved", [None, LAST], ids=["then", "since"])
def test_a_currency_that_the_ledger_has_is_not_told_again_once_it_has_no_history(
    kept: slice, moved: str | None, exports: Exports
) -> None:
    stages = [*STAGES, version("decisionmakerboughtin", "2024-11-02T10:00:00Z")]
    days = [version("2024-11-15", OPENED), version("2024-11-15", moved or RAISED)]
    rest = {"amount": AMOUNT[:2], "closedate": days, "deal_currency_code": CURRENCY}
    exports.take(LAST, currency="EUR", dealstage=stages[: 3 if moved else 4], **rest)
    before = exports.amounts

    cut = {"amount": AMOUNT[kept], "closedate": days[kept]}
    report = exports.take(LAST, currency="EUR", dealstage=stages[: 3 if moved else 4][kept], **cut)

    assert before == ["100 USD", "200 USD", "200 EUR"]
    assert (report.events_made, list(report.rejects), exports.amounts) == (0, [], before)


def test_a_currency_of_which_only_the_new_one_is_kept_is_told_as_a_change(
    exports: Exports,
) -> None:
    day = [version("2024-11-15", OPENED)]
    first = {"dealstage": STAGES, "amount": AMOUNT, "deal_currency_code": CURRENCY[:1]}
    exports.take(RAISED, currency="USD", **first, closedate=day)
    later = [*AMOUNT, version("300", "2024-09-12T10:00:00Z")]

    cut = {"amount": later, "deal_currency_code": CURRENCY[1:], "closedate": day}
    reports = [exports.take(LAST, currency="EUR", dealstage=STAGES, **cut) for _ in range(2)]

    assert [list(one.rejects) for one in reports] == [[], []]
    assert reports[1].events_made == 0
    assert exports.amounts == ["100 USD", "200 USD", "300 USD", "300 EUR"]


def test_a_currency_without_a_history_changes_no_amount_that_was_told(exports: Exports) -> None:
    exports.take(RAISED, currency="USD", dealstage=STAGES, amount=AMOUNT)
    raised = [*AMOUNT, version("300", "2025-05-01T09:00:00Z")]

    reports = [exports.take(LAST, currency="EUR", dealstage=STAGES, amount=AMOUNT)]
    reports += [
        exports.take(LAST, currency="EUR", dealstage=STAGES, amount=raised) for _ in range(2)
    ]

    assert [list(one.rejects) for one in reports] == [[]] * 3
    assert reports[0].gaps == 1
    assert reports[2].events_made == 0
    assert exports.amounts == ["100 USD", "200 USD", "300 EUR"]


def test_a_deal_that_is_new_has_the_first_currency_that_is_known(exports: Exports) -> None:
    exports.take(
        LAST, currency="EUR", amount=AMOUNT, deal_currency_code=CURRENCY[1:], dealstage=STAGES
    )

    assert exports.amounts == ["100 EUR", "200 EUR"]


def test_amounts_of_pipedrive_stay_in_the_currency_that_no_change_says(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def raised(currency: str, at: str) -> Callable[[str, Any], Any]:
        def change(name: str, content: Any) -> Any:
            if name == "deal_flow_v1":
                content["1001"][0]["data"].append(in_flow("value", "50000", "60000", RAISED))
            if name == "deals_v2":
                in_pipedrive(content, 1001).update(currency=currency, update_time=at)
            return content

        return change

    pack = shared_data / PACK / "pipedrive"
    imported(store, "pipedrive", rewritten_json(pack, tmp_path / "1", raised("USD", IN_EUROS)))

    newer = rewritten_json(pack, tmp_path / "2", raised("EUR", LAST))
    report = imported(store, "pipedrive", newer)

    assert list(report.rejects) == []
    assert amounts(store, "1001", "pipedrive") == ["50000 USD", "60000 USD"]


def test_amounts_of_salesforce_stay_in_the_currency_that_their_rows_do_not_say(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    key = "0065g0000000VMdAAM"

    def in_currency(currency: str, at: str) -> Callable[[str, Rows], Rows]:
        def change(name: str, rows: Rows) -> Rows:
            if name == "Opportunity":
                stated = {"CurrencyIsoCode": currency, "LastModifiedDate": at}
                return [row | stated if row["Id"] == key else row for row in rows]
            for row in rows if name == "OpportunityHistory" else ():
                row.pop("CurrencyIsoCode")
            return rows

        return change

    export = weekly_export(shared_data)
    first = rewritten(export, tmp_path / "1", in_currency("USD", "2025-01-01 00:40:00"))
    imported(store, "salesforce-csv", first)
    before = amounts(store, key, "salesforce")

    newer = rewritten(export, tmp_path / "2", in_currency("EUR", "2025-06-01 09:00:00"))
    report = imported(store, "salesforce-csv", newer)

    assert list(report.rejects) == []
    assert amounts(store, key, "salesforce") == before
