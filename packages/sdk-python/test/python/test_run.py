"""Apps for the moment, and files that are run by a command, on a real platform, which LAMINA_URL and LAMINA_TOKEN name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from conftest import Place
from lamina import LaminaError
from lamina._client import connect
from lamina._synchronize import run
from lamina.app import state_of_app
from numbers_app import app, double

GREETER = """
import asyncio, lamina

app = lamina.App("greeter")
image = lamina.Image.debian_slim(python_version="3.13")

class Rude(Exception):
    pass

@app.function(image=image)
def greet(name: str, times: int = 1) -> str:
    print("greeting", name)
    if name == "nobody":
        raise Rude("there is nobody")
    return " ".join([f"hello {name}"] * times)

@app.function(image=image)
def picture(size: int) -> bytes:
    return bytes([65] * size)

@app.function(image=image)
def strange() -> object:
    return {1, 2}

@app.function(image=image)
def hang() -> None:
    import time
    print("hanging")
    time.sleep(600)
"""
ENTRY = """
@app.local_entrypoint()
def main(names: str = "you", loud: bool = False):
    print("this is no result")
    greetings = [one for one in greet.map(names.split(","))]
    return [one.upper() if loud else one for one in greetings]

@app.local_entrypoint(name="later")
async def later():
    return await greet.remote.aio("later")

@app.local_entrypoint()
def catches():
    try:
        greet.remote("nobody")
    except Rude as error:
        return str(error)

@app.local_entrypoint()
def breaks():
    return {}["none"]
"""


class Ended:
    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr.decode()

    @property
    def events(self) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def arguments(*given: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    return {"args": [sys.executable, "-m", "lamina._run", *given], "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def command(place: Place, *given: str) -> Ended:
    return Ended(subprocess.run(**arguments(*given), cwd=place.directory, check=False))


@pytest.fixture
def greeter(place: Place) -> Place:
    place.write({"greeter.py": GREETER, "entry.py": GREETER + ENTRY})
    return place


def state_of(session: str) -> str:
    async def ask() -> str:
        async with connect() as client:
            state: str = (await client.query("apps.get", {"app": session}))["state"]
            return state

    return run(ask())


def test_what_functions_write_is_said_on_stderr_while_their_app_is_there_and_the_app_is_gone_after(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with app.run() as session:
        assert double.remote(21) == 42
        assert state_of(session.id) == "active"
    out, err = capfd.readouterr()
    assert (out, "doubling 21\n" in err) == ("", True)
    assert state_of(session.id) == "stopped"
    with pytest.raises(LaminaError, match="lamina deploy FILE") as caught:
        double.remote(1)
    assert caught.value.code == "NOT_FOUND"


def test_an_app_for_the_moment_is_silent_if_asked_and_ends_with_what_its_block_raises(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        with app.run(show_progress=False) as session:
            sessions.append(session.id)
            double.remote(3)
            raise LookupError("of the block")

    sessions: list[str] = []
    with pytest.raises(LookupError, match="of the block"):
        fails()
    assert capfd.readouterr() == ("", "")
    assert state_of(sessions[0]) == "stopped"
    assert state_of_app(app).session is None


def test_run_calls_a_function_of_a_file_its_logs_on_stderr_its_result_alone_on_stdout(greeter: Place) -> None:
    ran = command(greeter, "run", "greeter.py::greet", "--", "ann", "--times", "2")
    assert (ran.code, ran.out) == (0, b'"hello ann hello ann"\n')
    assert "greeting ann\n" in ran.err
    assert command(greeter, "run", "greeter.py::picture", "--", "3").out == b"AAA"
    lines = command(greeter, "run", "greeter.py::greet", "--json", "--", "--name=ann").events
    assert lines[-1] == {"type": "result", "value": "hello ann"}
    assert ["greeting ann"] in [line["lines"] for line in lines if line["type"] == "log"]


def test_run_of_an_entry_point_runs_it_here_and_only_what_it_gives_is_the_result(greeter: Place) -> None:
    ran = command(greeter, "run", "entry.py::main", "--", "--names", "ann,bob", "--loud")
    assert (ran.code, json.loads(ran.out)) == (0, ["HELLO ANN", "HELLO BOB"])
    assert "this is no result\n" in ran.err
    assert command(greeter, "run", "entry.py::later").out == b'"hello later"\n'
    assert command(greeter, "run", "entry.py::catches").out == b'"there is nobody"\n'


def test_what_fails_is_an_exit_code_with_its_class_and_its_place(greeter: Place) -> None:
    ran = command(greeter, "run", "greeter.py::greet", "--", "nobody")
    assert (ran.code, ran.out) == (1, b"")
    assert "CALL_FAILED: greeter.Rude: there is nobody" in ran.err
    assert 'File "greeter.py", line ' in ran.err
    assert "harness" not in ran.err
    ran = command(greeter, "run", "entry.py::breaks")
    assert (ran.code, ran.out) == (1, b"")
    assert "KeyError: 'none'" in ran.err
    assert 'entry.py", line ' in ran.err
    assert "packages/sdk-python" not in ran.err
    ran = command(greeter, "run", "greeter.py::strange", "--json")
    assert (ran.code, ran.events[-1]["type"], ran.events[-1]["code"]) == (2, "error", "VALUE_UNREADABLE")


def test_what_cannot_be_right_is_said_before_anything_is_built(greeter: Place) -> None:
    greeter.write(
        {"wrong.py": "import lamina\napp = lamina.App('w')\n@app.function(\n    gpu='a big one'\n)\ndef f(): ...\n", "empty.py": ""}
    )
    for given, words in (
        (["run", "greeter.py"], "greeter.py::picture"),
        (["run", "greeter.py::none"], 'no function "none"'),
        (["run", "greeter.py::greet", "--", "--name", "a", "--times", "often"], 'times: "often" is no whole number'),
        (["run", "none.py"], "none.py is not a file"),
        (["run", "empty.py"], "has no app"),
        (["deploy", "empty.py"], "has no app"),
        (["deploy", "wrong.py"], "gpu: "),
    ):
        ran = command(greeter, *given)
        assert (ran.code, ran.out, "INVALID_INPUT: " in ran.err, words in ran.err) == (2, b"", True, True), ran.err
        assert "building" not in ran.err
    [error] = command(greeter, "deploy", "wrong.py", "--json").events
    assert (error["source"]["file"], error["source"]["line"]) == (greeter.path("wrong.py"), 3)


def test_deploy_makes_the_apps_of_a_file_those_of_their_names(greeter: Place) -> None:
    ran = command(greeter, "deploy", "greeter.py")
    assert (ran.code, ran.out.decode()) == (0, "greeter version 1: greet, hang, picture, strange\n")
    greeter.write({"greeter.py": GREETER.replace("hello {", "good day {")})
    lines = command(greeter, "deploy", "greeter.py", "--json").events
    assert "layer-started" not in [line["type"] for line in lines]
    assert (lines[-1]["type"], lines[-1]["name"], lines[-1]["version"]) == ("app", "greeter", 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_the_call_and_ends_the_app_with_130(greeter: Place, number: signal.Signals) -> None:
    with subprocess.Popen(**arguments("run", "greeter.py::hang", "--json"), cwd=greeter.directory) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(json.loads(line))
            if lines[-1]["type"] == "log":
                running.send_signal(number)
    assert running.returncode == 130
    assert (lines[-1]["type"], lines[-1]["code"]) == ("error", "CANCELLED")
    assert newest_call() == ("hang", "cancelled")


def newest_call() -> tuple[str, str]:
    async def ask() -> tuple[str, str]:
        async with connect() as client:
            [call] = await client.query("calls.list", {"limit": 1})
            return call["function"], call["state"]

    return run(ask())


PACKAGED = """
import lamina
from .words import WORD

app = lamina.App("packaged")

@app.function(image=lamina.Image.debian_slim(python_version="3.13"))
def word():
    return WORD
"""


def test_what_a_file_imports_of_its_package_or_of_a_directory_beside_it_is_in_the_container(place: Place) -> None:
    place.write({"shop/__init__.py": "", "shop/app.py": PACKAGED, "shop/words.py": "WORD = 'relative'"})
    place.write({"beside.py": PACKAGED.replace(".words", "shelf.words"), "shelf/words.py": "WORD = 'absolute'"})
    assert command(place, "run", "shop/app.py::word").out == b'"relative"\n'
    assert command(place, "run", "beside.py::word").out == b'"absolute"\n'


READER = """
import lamina
from pathlib import Path

def write(times: int, *, word: str):
    from pathlib import Path
    Path("/weights").write_text(word * times)

app = lamina.App("reader")
image = lamina.Image.debian_slim(python_version="3.13").run_function(write, args=[2], kwargs={"word": "layer"})

@app.function(image=image)
def read():
    return Path("/weights").read_text()
"""


def test_what_a_function_wrote_while_building_is_in_the_image(place: Place) -> None:
    place.write({"reader.py": READER})
    ran = command(place, "run", "reader.py::read")
    assert (ran.code, ran.out) == (0, b'"layerlayer"\n'), ran.err
    assert "run_function" in ran.err or "runFunction" in ran.err
