"""Places are passed on in the order of those who wait, and none is lost on the way."""

import asyncio

import pytest

from api.http.problems import RequestRefusedError
from api.http.slots import Slots


def test_who_waits_first_is_served_first() -> None:
    async def waits() -> list[int]:
        slots, served = Slots(1, "reads"), []
        held = slots.take()

        async def one(number: int) -> None:
            place = await slots.wait(5)
            served.append(number)
            place.release()

        waiting = [asyncio.create_task(one(number)) for number in range(3)]
        await asyncio.sleep(0)
        held.release()
        await asyncio.gather(*waiting)
        slots.take().release()
        return served

    assert asyncio.run(waits()) == [0, 1, 2]


def test_nobody_overtakes_those_who_wait_and_a_wait_ends() -> None:
    async def waits() -> None:
        slots = Slots(1, "reads")
        held = slots.take()
        with pytest.raises(RequestRefusedError, match="1 reads are under way"):
            await slots.wait(0.01)
        with pytest.raises(RequestRefusedError):
            slots.take()
        held.release()
        held.release()
        slots.take()
        with pytest.raises(RequestRefusedError):
            slots.take()

    asyncio.run(waits())


@pytest.mark.parametrize("granted", [False, True])
def test_a_place_is_not_lost_with_who_gives_up_waiting(granted: bool) -> None:  # noqa: FBT001
    async def waits() -> None:
        slots = Slots(1, "reads")
        held = slots.take()
        waiting = asyncio.create_task(slots.wait(5))
        await asyncio.sleep(0)
        if granted:
            held.release()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        held.release()
        slots.take()

    asyncio.run(waits())
