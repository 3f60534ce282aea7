"""What differs between an answer of then and the same in today's context is named by its place."""

from api.restatement import differences, restated


def test_what_is_equal_is_not_named() -> None:
    answer = {"quota": {"amount": "1"}, "reps": [{"rep": "ann", "booked": []}]}

    assert list(differences(answer, answer)) == []


def test_members_of_a_list_are_named_by_what_they_are_about() -> None:
    then = {"reps": [{"rep": "ann", "quota": "1"}, {"rep": "ben", "quota": "2"}]}
    now = {"reps": [{"rep": "ben", "quota": "2"}, {"rep": "ann", "quota": "3"}]}

    assert list(differences(then, now)) == [("reps[ann].quota", "1", "3")]


def test_members_that_nothing_tells_apart_are_named_by_their_place() -> None:
    assert list(differences({"path": ["a", "b"]}, {"path": ["a", "c"]})) == [("path[1]", "b", "c")]
    assert list(differences([{"rep": "a"}, {"rep": "a"}], [{"rep": "a"}, {"rep": "b"}])) == [
        ("[1].rep", "a", "b")
    ]


def test_what_came_and_what_went_is_named() -> None:
    then = {"skips": [{"event_id": "e1"}], "quota": None, "gone": 1}
    now = {"skips": [], "quota": {"amount": "5"}}

    assert list(differences(then, now)) == [
        ("skips[e1]", {"event_id": "e1"}, None),
        ("quota", None, {"amount": "5"}),
        ("gone", 1, None),
    ]


def test_a_restated_answer_keeps_what_was_answered_then() -> None:
    then = {"as_of": {"position": 3}, "effective_at": "t", "quota": "1"}

    answer = restated(then, {**then, "quota": "2"}, position=9)

    assert answer == {
        **then,
        "restated": {"context": {"position": 9}, "quota": "2"},
        "difference": [{"at": "quota", "then": "1", "now": "2"}],
    }
