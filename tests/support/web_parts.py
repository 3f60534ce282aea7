"""What the API says of the review and the patterns of a deal: as answers that pages show."""

from typing import Any


def event_id(version: int) -> str:
    return f"0190b000-0000-7000-8000-{version:012d}"


def review() -> dict[str, Any]:
    """A sheet with a blank, a partly blank and two answered questions, and two flags that hold."""

    def asked(question: str, state: str, *answers: dict[str, Any], missing: Any = ()) -> Any:
        return {
            "question": question,
            "state": state,
            "missing": list(missing),
            "answers": list(answers),
        }

    def said(version: int, title: str, word: str) -> dict[str, Any]:
        return {"event_id": event_id(version), "title": title, "age_days": 12, "word": word}

    def flag(name: str, colour: str, *, holds: bool | None) -> dict[str, Any]:
        return {"flag": name, "colour": colour, "holds": holds, "event_ids": [event_id(1)]}

    return {
        "questions": [
            asked("What happens if they do not?", "blank", missing=["consequence"]),
            asked(
                "Who decides, and by which criteria?",
                "partly",
                said(2, "Contact identified: kim, Plant manager", "seller"),
                missing=["criteria"],
            ),
            asked(
                "What is the customer trying to achieve?",
                "answered",
                said(3, "Customer goal: No truck waits", "customer"),
            ),
            asked("Which of our promises are open?", "answered"),
        ],
        "gates": [
            {"stage": "qualify", "still_unmet": ["decision-criteria-known"]},
            {"stage": "discover", "still_unmet": []},
        ],
        "health": {
            "colour": "red",
            "flags": [
                flag("pushes", "red", holds=True),
                flag("one_contact", "amber", holds=True),
                flag("broken_commitment", "red", holds=False),
                flag("age_in_stage", "amber", holds=None),
            ],
        },
    }


def patterns() -> list[dict[str, Any]]:
    """A burst over two deals that holds, and a win that still stands."""
    elsewhere = "9" * 8
    return [
        {
            "pattern_id": f"tick_burst:{event_id(11)}",
            "rule": "PS-6",
            "name": "tick_burst",
            "policy_version": 1,
            "event_id": event_id(11),
            "rep": "amara",
            "at": "2026-08-01T10:00:00Z",
            "holds": True,
            "facts": [
                {
                    "fact": "not_yet_evidenced",
                    "value": {"kind": "bulk_tick", "share": 1.0, "not_evidenced": 5, "of": 5},
                    "threshold": {"bulk_tick": "0.5", "catch_up": "0.2"},
                    "holds": True,
                    "evidence": [event_id(11), elsewhere],
                }
            ],
            "evidence": [event_id(11), elsewhere],
            "sentence": "This is consistent with ticking in bulk.",
        },
        {
            "pattern_id": f"win_reversed:{event_id(20)}",
            "rule": "PS-9",
            "name": "win_reversed",
            "policy_version": 1,
            "event_id": event_id(20),
            "rep": "amara",
            "at": "2026-09-01T10:00:00Z",
            "holds": None,
            "facts": [],
            "evidence": [event_id(20)],
            "sentence": "The win stands so far.",
        },
    ]


def learned(kind: str, value: str, version: int) -> dict[str, Any]:
    """A fact that an event told."""
    return {"kind": kind, "value": value, "level": 3, "event_id": event_id(version), "link": None}
