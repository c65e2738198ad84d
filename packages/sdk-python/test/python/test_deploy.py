"""Apps that are deployed, on a real platform, which LAMINA_URL and LAMINA_TOKEN name. In it is an app `letters`, in TypeScript."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from types import ModuleType

import pytest

from conftest import Place
from lamina import App, Cls, Function, FunctionCall, LaminaError, RemoteError
from lamina._cli.load import import_file
from lamina._client import connect
from lamina._synchronize import run

# Functions that are deployed under a name of the test's own.
SHOP = """
import os
import lamina

app = lamina.App({name!r})
image = lamina.Image.debian_slim(python_version="3.13")

class Sold(Exception):
    pass

@app.function(image=image{more})
def price(pieces: int) -> int:
    if pieces > 100:
        raise Sold(f"not {{pieces}}")
    return pieces * {each}

@app.function(image=image, secrets=[lamina.Secret.from_name({secret!r})])
def secret() -> str:
    return os.environ["TILL"]

@app.cls(image=image, scaledown_window=0)
class Till:
    @lamina.enter()
    def open(self):
        print("the till opens")
        self.sum = 0

    @lamina.method()
    def take(self, amount: int) -> int:
        self.sum += amount
        return self.sum

    @lamina.exit()
    def close(self):
        print("the till closes at", self.sum)
"""

Write = Callable[..., ModuleType]


@pytest.fixture(scope="module", autouse=True)
def the_secret() -> None:
    async def keep() -> None:
        async with connect() as client:
            await client.mutation("secrets.set", {"name": "of-the-shop", "variables": {"TILL": "open sesame"}})

    run(keep())


@pytest.fixture
def shop(place: Place) -> Iterator[Write]:
    """The module of an app as it is then; a file that changes is a new import."""

    def write(name: str, *, each: int = 3, more: str = "", secret: str = "of-the-shop") -> ModuleType:
        place.write({"shop.py": SHOP.format(name=name, each=each, more=more, secret=secret)})
        sys.modules.pop("shop", None)
        return import_file(place.path("shop.py"))

    before = list(sys.path)
    yield write
    sys.path[:] = before
    sys.modules.pop("shop", None)


def test_what_is_deployed_is_called_by_names_alone_until_it_is_stopped(shop: Write) -> None:
    deployment = shop("by-names").app.deploy()
    assert (deployment.name, deployment.version) == ("by-names", 1)
    assert [(one.name, one.language, one.methods) for one in deployment.functions] == [
        ("Till", "python", ["take"]),
        ("price", "python", None),
        ("secret", "python", None),
    ]
    price = Function.from_name("by-names", "price")
    assert price.remote(2) == 6
    assert list(price.map([1, 2])) == [3, 6]
    assert App.lookup("by-names").function("price").remote(pieces=3) == 9
    assert Cls.from_name("by-names", "Till")().take.remote(4) == 4
    with pytest.raises(LaminaError, match="its code is not here"):
        price.local(1)

    run(stopped("by-names"))
    with pytest.raises(LaminaError) as caught:
        price.remote(2)
    assert caught.value.code == "NOT_FOUND"


async def stopped(app: str) -> None:
    async with connect() as client:
        await client.mutation("apps.stop", {"app": app})


def test_another_process_calls_it_and_waits_for_a_call_by_its_id(shop: Write) -> None:
    shop("elsewhere").app.deploy()
    program = "import lamina; print(lamina.Function.from_name('elsewhere', 'price').spawn(5).object_id)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert FunctionCall.from_id(done.stdout.strip()).get() == 15


def test_an_exception_whose_class_is_not_here_is_told_of(shop: Write) -> None:
    shop("strangers").app.deploy()
    sys.modules.pop("shop")
    sys.path.remove(next(one for one in sys.path if one.endswith("files")))
    with pytest.raises(RemoteError, match="not 101") as caught:
        Function.from_name("strangers", "price").remote(101)
    assert caught.value.type == "shop.Sold"


def test_changed_code_is_live_once_it_is_deployed_and_no_image_is_built(shop: Write, capfd: pytest.CaptureFixture[str]) -> None:
    shop("changing").app.deploy()
    price = Function.from_name("changing", "price")
    assert price.remote(1) == 3
    capfd.readouterr()
    again = shop("changing", each=5).app.deploy()
    assert again.version == 2
    assert "building" not in capfd.readouterr().err
    assert price.remote(1) == 5
    assert shop("changing", each=5).app.deploy().version == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [({"more": ".run_commands('exit 7')"}, "STEP_FAILED"), ({"secret": "there-is-none"}, "SECRET_MISSING")],
)
def test_a_deploy_that_fails_leaves_what_was_there(shop: Write, change: dict[str, str], code: str) -> None:
    shop("steady").app.deploy()
    with pytest.raises(LaminaError) as caught:
        shop("steady", each=5, **change).app.deploy()
    assert caught.value.code == code
    assert Function.from_name("steady", "price").remote(1) == 3


def test_a_container_that_ends_calls_what_is_marked_for_it(shop: Write) -> None:
    shop("closing").app.deploy()
    assert Cls.from_name("closing", "Till")().take.remote(4) == 4
    lines = run(asyncio.wait_for(log_until("closing", "the till closes at 4"), 60))
    assert lines == ["the till opens", "the till closes at 4"]


async def log_until(app: str, last: str) -> list[str]:
    lines: list[str] = []
    async with connect() as client, aclosing(client.events("calls.logs", {"of": {"kind": "app", "app": app}, "follow": True})) as events:
        async for one in events:
            lines += one.event["lines"]
            if last in lines:
                break
    return lines


def test_functions_in_typescript_are_called_with_values_of_json() -> None:
    echo = Function.from_name("letters", "echo")
    moment = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.timezone.utc)
    values = ["é", 1.5, None, True, b"\0\xff", moment, 2**70, {"a": [1, {"$lamina": "x"}]}, "x" * 200_000]
    assert echo.remote(*values) == values
    with pytest.raises(RemoteError, match="RangeError: too much") as caught:
        echo.remote("fail")
    assert "letters-app.ts" in caught.value.stack
    with pytest.raises(LaminaError, match=r"args\[0\] is of the type set, which JSON has no notation for"):
        echo.remote({1})


def test_secrets_of_the_platform_are_found_by_their_name(shop: Write) -> None:
    shop("secretive").app.deploy()
    assert Function.from_name("secretive", "secret").remote() == "open sesame"


def test_a_function_that_the_app_has_not_is_told_of() -> None:
    with pytest.raises(LaminaError, match=r"no function none of an app letters.*lamina deploy FILE") as caught:
        Function.from_name("letters", "none").remote()
    assert caught.value.code == "NOT_FOUND"
