"""Functions that the tests call: imported by them, and in containers."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass

import lamina

app = lamina.App("numbers")
image = (
    lamina.Image.debian_slim(python_version="3.13")
    .run_commands("mkdir /opt/only && echo 'ANSWER = 42' > /opt/only/only_there.py")
    .env(OFFSET="100", PYTHONPATH="/opt/only")
)

with image.imports():
    from only_there import ANSWER  # type: ignore[import-not-found]

lacking = lamina.Image.debian_slim(python_version="3.13").env(OFFSET="1")

with lacking.imports():
    import only_nowhere  # type: ignore[import-not-found]


class OutOfRange(Exception):
    """One that is made of more than its message."""

    def __init__(self, value: int, limit: int) -> None:
        super().__init__(value, limit)
        self.value, self.limit = value, limit

    def __str__(self) -> str:
        return f"{self.value} is over {self.limit}"


class Unpicklable(Exception):
    """One that cannot be made again from what pickle keeps of it."""

    def __init__(self, *, why: str) -> None:
        super().__init__(f"it is {why}")


@dataclass(frozen=True)
class Point:
    x: int
    y: int


@app.function(image=image)
def double(value: int) -> int:
    print("doubling", value)
    return value * 2


@app.function(image=image)
async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value + 1


@app.function(image=image)
def add(a: int, b: int = 10, *, times: int = 1) -> int:
    return (a + b) * times


@app.function(image=image)
def echo(*args: object, **kwargs: object) -> tuple[tuple[object, ...], dict[str, object]]:
    return args, kwargs


@app.function(image=image)
def mirrored(point: Point) -> Point:
    return Point(-point.x, -point.y)


@app.function(image=image)
def fails(kind: str) -> None:
    try:
        _fail(kind)
    except KeyError as error:
        raise OutOfRange(7, 5) from error


def _fail(kind: str) -> None:
    if kind == "chained":
        raise KeyError("first")
    if kind == "own":
        raise OutOfRange(7, 5)
    if kind == "exit":
        sys.exit(4)
    if kind == "stop":
        next(iter([]))
    if kind == "unpicklable":
        raise Unpicklable(why="of no use")
    raise ValueError("no luck")


@app.function(image=image)
def odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} is even")
    return value


@app.function(image=image)
def counted_to(most: int) -> object:
    yield from range(most)


@app.function(image=image)
def hang() -> None:
    print("hanging")
    time.sleep(600)


@app.function(image=image)
def hang_from(first: int, value: int) -> int:
    if value >= first:
        time.sleep(600)
    return value


@app.function(image=image, timeout=1)
def slow() -> None:
    time.sleep(600)


@app.function(image=image, max_containers=1, retries=lamina.Retries(max_retries=2, initial_delay=0))
def third_time() -> int:
    _tries.append(1)
    if len(_tries) % 3 != 0:
        raise ConnectionError(f"try {len(_tries)}")
    return len(_tries)


_tries: list[int] = []


@app.function(image=image, secrets=[lamina.Secret.from_dict({"PASSWORD": "open sesame"})])
def environment(*names: str) -> list[str | None]:
    return [os.environ.get(name) for name in names]


@app.function(image=image)
def answer() -> tuple[int, bool]:
    return ANSWER, lamina.is_local()


@app.function(image=lamina.Image.debian_slim(python_version="3.13"))
def without_imports() -> bool:
    return "ANSWER" in globals()


@app.function(image=lacking.workdir("/srv"))
def with_lacking() -> str:
    return str(only_nowhere)


@app.cls(image=image)
class Broken:
    @lamina.enter()
    def begin(self) -> None:
        raise LookupError("no set-up")

    @lamina.method()
    def work(self) -> None: ...


@app.cls(image=image, max_containers=1)
class Counter:
    @lamina.enter()
    def begin(self) -> None:
        print("a counter begins")
        self.count = int(os.environ.get("OFFSET", "0"))

    @lamina.method()
    def add(self, amount: int) -> int:
        self.count += amount
        return self.count

    @lamina.method()
    async def add_twice(self, amount: int) -> int:
        self.add.local(amount)
        self.add.local(amount)
        return self.count

    @lamina.exit()
    def end(self) -> None:
        print("a counter ends at", self.count)
