"""Functions on a real platform, which LAMINA_URL and LAMINA_TOKEN name."""

from __future__ import annotations

import asyncio
import datetime
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

import numbers_app
from lamina import CallTimeoutError, Function, FunctionCall, LaminaError, RemoteError
from lamina._client import connect
from lamina._synchronize import run
from lamina.app import state_of_app
from numbers_app import Broken, Counter, OutOfRange, Point, app, double


@pytest.fixture(scope="module", autouse=True)
def the_app() -> Iterator[None]:
    with app.run():
        yield


def states_of(function: str) -> list[str]:
    async def ask() -> list[str]:
        async with connect() as client:
            calls = await client.query("calls.list", {"app": state_of_app(app).target()})
        return sorted(one["state"] for one in calls if one["function"] == function)

    return run(ask())


def test_what_a_function_gives_comes_back_by_each_form_of_a_call() -> None:
    assert double.remote(21) == 42
    assert double.local(4) == 8
    assert double(5) == 10
    assert numbers_app.add.remote(1, b=2, times=3) == 9
    assert double.spawn(4).get() == 8
    assert numbers_app.later.remote(1) == 2
    assert asyncio.run(numbers_app.later.local(1)) == 2


def test_each_form_that_waits_has_one_to_await() -> None:
    async def numbers() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number

    async def main() -> list[object]:
        call = await double.spawn.aio(2)
        mapped = [one async for one in double.map.aio(numbers())]
        return [await double.remote.aio(1), await call.get.aio(), mapped, await asyncio.gather(double.remote.aio(5), double.remote.aio(6))]

    assert asyncio.run(main()) == [2, 4, [2, 4, 6], [10, 12]]


def test_map_gives_results_in_the_order_of_the_inputs_or_as_they_are_there() -> None:
    assert list(double.map(range(300))) == [2 * one for one in range(300)]
    assert sorted(double.map(iter(range(50)), order_outputs=False)) == [2 * one for one in range(50)]
    assert list(numbers_app.add.map([1, 2], [10, 20, 30], kwargs={"times": 2})) == [22, 44]
    assert list(numbers_app.add.starmap([(1, 2), (3, 4)])) == [3, 7]
    assert double.for_each([1, 2]) is None


def test_map_ends_with_the_first_failure_or_gives_failures_in_their_places() -> None:
    with pytest.raises(ValueError, match="2 is even"):
        list(numbers_app.odd.map([1, 2, 3]))
    found: list[object] = list(numbers_app.odd.map([1, 2, 3], return_exceptions=True))
    assert found[::2] == [1, 3]
    assert isinstance(found[1], ValueError)
    assert str(found[1]) == "2 is even"
    with pytest.raises(ValueError, match="4 is even"):
        numbers_app.odd.for_each([4])
    assert numbers_app.odd.for_each([4], ignore_exceptions=True) is None


def test_whoever_leaves_a_map_cancels_what_has_not_ended() -> None:
    results = numbers_app.hang_from.map([3] * 6, range(6))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    results.close()
    assert states_of("hang_from") == ["cancelled"] * 3 + ["done"] * 3


def test_an_exception_keeps_its_class_and_says_where_it_ran() -> None:
    with pytest.raises(ValueError, match="no luck") as caught:
        numbers_app.fails.remote("plain")
    cause = caught.value.__cause__
    assert isinstance(cause, RemoteError)
    assert (cause.code, cause.type) == ("CALL_FAILED", "ValueError")
    assert 'File "numbers_app.py", line ' in cause.stack
    assert "harness" not in cause.stack
    if sys.version_info >= (3, 11):
        assert "Where it ran" in caught.value.__notes__[0]


def test_an_exception_of_ones_own_comes_whole_and_what_it_came_from_in_its_stack() -> None:
    with pytest.raises(OutOfRange, match="7 is over 5") as caught:
        numbers_app.fails.remote("own")
    assert (caught.value.value, caught.value.limit) == (7, 5)
    with pytest.raises(OutOfRange) as caught:
        numbers_app.fails.remote("chained")
    assert isinstance(caught.value.__cause__, RemoteError)
    assert "KeyError: 'first'" in caught.value.__cause__.stack


def test_an_exception_that_cannot_be_made_again_is_told_of() -> None:
    with pytest.raises(RemoteError, match="it is of no use") as caught:
        numbers_app.fails.remote("unpicklable")
    assert caught.value.type == "numbers_app.Unpicklable"


@pytest.mark.parametrize(("kind", "name"), [("exit", "SystemExit"), ("stop", "StopIteration")])
def test_an_exception_that_would_end_what_calls_is_told_of_in_each_form(kind: str, name: str) -> None:
    with pytest.raises(RemoteError) as caught:
        numbers_app.fails.remote(kind)
    assert caught.value.type == name
    with pytest.raises(RemoteError) as caught:
        asyncio.run(numbers_app.fails.remote.aio(kind))
    assert caught.value.type == name
    [found] = list(numbers_app.fails.map([kind], return_exceptions=True))
    assert isinstance(found, RemoteError)
    assert double.remote(1) == 2


def test_inputs_that_end_the_program_end_it_and_not_what_waits() -> None:
    def inputs() -> Iterator[int]:
        yield 1
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        list(double.map(inputs()))
    assert double.remote(1) == 2


def test_values_of_python_come_and_go_as_they_are_of_any_size() -> None:
    moment = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
    values = (None, 2**100, b"\0\xff", {1: (2, 3)}, {4, 5}, moment, 1 + 2j, Point(1, 2), "x" * 300_000)
    assert numbers_app.echo.remote(*values, name="ü") == (values, {"name": "ü"})
    assert numbers_app.mirrored.remote(Point(1, -2)) == Point(-1, 2)


def test_what_cannot_be_sent_or_taken_along_says_so() -> None:
    with pytest.raises(LaminaError, match="An argument cannot be sent") as caught:
        numbers_app.echo.remote(lambda: 1)
    assert caught.value.code == "VALUE_UNREADABLE"
    with pytest.raises(LaminaError, match=r"generator.*Return a list") as caught:
        numbers_app.counted_to.remote(3)
    assert caught.value.code == "VALUE_UNREADABLE"


def test_a_call_is_found_by_its_id_waited_for_and_cancelled() -> None:
    ended = double.spawn(4)
    hanging = numbers_app.hang.spawn()
    assert FunctionCall.from_id(ended.object_id).get() == 8
    with pytest.raises(CallTimeoutError, match="It goes on"):
        FunctionCall.from_id(hanging.object_id).get(timeout=0)
    with pytest.raises(TimeoutError):
        hanging.get(timeout=0.01)
    hanging.cancel()
    with pytest.raises(LaminaError) as caught:
        hanging.get()
    assert caught.value.code == "CANCELLED"
    assert FunctionCall.gather(ended, double.spawn(5)) == [8, 10]
    with pytest.raises(LaminaError, match="is no id of a call"):
        FunctionCall.from_id("4")


def test_a_call_that_takes_too_long_is_ended_with_its_code() -> None:
    with pytest.raises(CallTimeoutError) as caught:
        numbers_app.slow.remote()
    assert caught.value.code == "CALL_TIMED_OUT"


def test_a_call_that_fails_is_tried_again_as_often_as_was_said() -> None:
    assert numbers_app.third_time.remote() == 3


def test_secrets_and_the_image_are_the_environment() -> None:
    assert numbers_app.environment.remote("PASSWORD", "OFFSET", "LAMINA_TOKEN") == ["open sesame", "100", None]


def test_what_only_the_image_has_is_imported_there_alone() -> None:
    assert not hasattr(numbers_app, "ANSWER")
    assert numbers_app.answer.remote() == (42, False)


def test_what_an_image_lacks_of_what_is_imported_of_it_breaks_its_functions_alone() -> None:
    with pytest.raises(LaminaError, match="ModuleNotFoundError: No module named 'only_nowhere'") as caught:
        numbers_app.with_lacking.remote()
    assert caught.value.code == "FUNCTION_BROKEN"
    assert any('File "numbers_app.py"' in line for line in caught.value.last_lines)
    assert numbers_app.without_imports.remote() is False


def test_a_class_has_one_object_a_container_and_is_set_up_once() -> None:
    counter = Counter()
    assert counter.add.remote(5) == 105
    assert Counter().add.remote(1) == 106
    assert counter.add_twice.remote(2) == 110
    assert list(counter.add.map([1, 1])) in ([111, 112], [112, 111])
    here = Counter()
    assert (here.add.local(1), here.add(2), here.count) == (1, 3, 3)


def test_what_a_function_could_not_be_set_up_for_is_the_platforms_error_with_its_stack() -> None:
    with pytest.raises(LaminaError, match="cannot be set up: LookupError: no set-up") as caught:
        Broken().work.remote()
    assert (type(caught.value), caught.value.code) == (LaminaError, "FUNCTION_BROKEN")
    assert caught.value.last_lines[-1] == "LookupError: no set-up"


def test_functions_called_within_a_program_are_those_of_the_app_for_the_moment_and_no_others() -> None:
    with pytest.raises(LaminaError, match=r"lamina deploy FILE.*app\.run") as caught:
        Function.from_name("numbers", "double").remote(1)
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(LaminaError, match="runs already") as caught, app.run():
        pass
    assert caught.value.code == "INVALID_INPUT"
