"""What an event stands in is the deal as it left it, and nothing told later changes that."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.replay import view
from projections.contexts.fold import contexts
from projections.spans.fold import evolve, fold
from tests.support.many_deals import LOGS, Log


@settings(max_examples=60, deadline=None)
@given(log=LOGS, data=st.data())
def test_a_context_is_the_view_of_then_up_to_its_event(log: Log, data: st.DataObject) -> None:
    upto = data.draw(st.integers(min_value=0, max_value=log.head))
    after = data.draw(st.integers(min_value=0, max_value=upto))
    for stream in log.streams(upto).values():
        found = dict(contexts(stream, evolve, after=after))

        expected = {}
        for event in stream:
            seen = view(stream, as_of=event.position)
            left = fold(one for one in seen if one.order <= event.order)
            if left is not None and event.position > after:
                expected[event.position] = left
        assert found == expected
