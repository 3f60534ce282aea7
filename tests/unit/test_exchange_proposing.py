"""A proposed profile names what the files hold, can be read back, and declares nothing unseen."""

import json
from pathlib import Path

import pytest
import yaml

from api.exchange.importing import Format
from api.exchange.lines import ExportRefusedError
from api.exchange.profile import Profile, profile_from
from api.exchange.proposing import propose_profile
from tests.support.exports import PACK

CREATED = "com.example.opportunity.deal-created.v1"


def proposed(name: Format, path: Path, declared: Profile | None = None) -> Profile:
    text = propose_profile(name, [path], declared=declared)
    return profile_from(yaml.safe_load(text), name="proposed")


@pytest.mark.parametrize(
    ("name", "path", "fields"),
    [
        ("salesforce-csv", "salesforce_weekly_export", {"Outcome_Evidence__c", "LossReason__c"}),
        ("salesforce-rest", "salesforce_rest_query", {"Outcome_Evidence__c", "LossReason__c"}),
        ("hubspot", "hubspot_v3", {"outcome_evidence", "customer_commitment", "external_key"}),
        ("pipedrive", "pipedrive", {"c0ffee4275646765745f436f6e6669726d65645f"}),
    ],
)
def test_the_own_fields_of_a_crm_are_proposed_to_be_ignored(
    name: Format, path: str, fields: set[str], shared_data: Path
) -> None:
    profile = proposed(name, shared_data / PACK / path)

    assert fields <= profile.custom_fields.keys()
    assert {mapping.event for mapping in profile.custom_fields.values()} == {"ignored"}
    assert profile.source == name.split("-")[0]
    assert (profile.currency, profile.calendar, profile.zone) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "path", "event", "kind"),
    [
        ("xes", "xes/deals.xes", "Enter stage: Discovery", "stage_entered"),
        ("ocel2", "ocel2/deals.ocel2.sqlite", "won", "deal_won"),
        ("ocel2", "ocel2/deals.ocel2.json", "deal_created", "deal_opened"),
        ("cloudevents", "cloudevents/batch.json", CREATED, "deal_opened"),
    ],
)
def test_the_events_of_a_log_are_proposed_by_their_names(
    name: Format, path: str, event: str, kind: str, shared_data: Path
) -> None:
    profile = proposed(name, shared_data / PACK / path)

    assert [one.type for one in profile.events[event]] == [kind]
    assert not profile.stages


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("Unwon", []),
        ("DealWon", ["deal_won"]),
        ("DEAL_LOST", ["deal_lost"]),
        ("closedwon", ["deal_won"]),
        ("closedlost", ["deal_lost"]),
        ("dealstage", ["stage_entered"]),
        ("dealcreated", ["deal_opened"]),
        ("closedate", ["close_date_moved"]),
        ("com.example.closeDateMoved", ["close_date_moved"]),
    ],
)
def test_events_are_told_by_the_words_of_their_names(
    event: str, kinds: list[str], tmp_path: Path
) -> None:
    one = {"specversion": "1.0", "id": "1", "source": "/crm", "type": event, "subject": "deal/A"}
    path = tmp_path / "events.json"
    path.write_text(json.dumps([one | {"time": "2025-01-01T00:00:00Z", "data": {}}]))

    profile = proposed("cloudevents", path)

    assert [told.type for told in profile.events[event]] == (kinds or ["ignored"])


def test_a_proposal_goes_on_from_what_is_declared(shared_data: Path) -> None:
    declared = profile_from({"event_name": "deal:kind"}, name="declared")

    profile = proposed("xes", shared_data / PACK / "xes/deals.xes", declared)

    assert profile.event_name == "deal:kind"
    assert {"deal_created", "won", "lost"} <= profile.events.keys()
    assert "stage_entered" not in profile.events


def test_nothing_is_proposed_for_lines_of_our_own_or_for_another_format(shared_data: Path) -> None:
    with pytest.raises(ExportRefusedError, match="say themselves"):
        propose_profile("ndjson", [Path("x")], declared=None)
    with pytest.raises(ExportRefusedError, match="another format"):
        propose_profile(
            "xes", [shared_data / "data/ocel2_example/ocel20_example.xmlocel"], declared=None
        )
