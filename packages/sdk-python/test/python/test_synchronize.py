"""Forms that wait for a coroutine, which runs in the loop of the SDK's own."""

from __future__ import annotations

import asyncio

import pytest

from lamina._synchronize import run


async def give(value: int) -> int:
    return value


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, ValueError])
def test_what_a_coroutine_raises_comes_to_who_waits_and_others_go_on(kind: type[BaseException]) -> None:
    async def fail() -> None:
        raise kind(4)

    async def fail_beside() -> None:
        await asyncio.gather(fail(), give(1))

    for failing in (fail, fail_beside):
        with pytest.raises(kind) as caught:
            run(failing())
        assert caught.value.args == (4,)
    assert run(give(5)) == 5
