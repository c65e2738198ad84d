"""Plans and builds on a real platform, which LAMINA_URL and LAMINA_TOKEN name."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from conftest import Place
from lamina import BuildResult, Image, LaminaError, Secret
from lamina._client import connect
from lamina._platform import PlatformAddress
from lamina._synchronize import run
from proxy import Proxy

SLIM = Image.debian_slim(python_version="3.13")
Events = list[Mapping[str, Any]]


def something_new() -> str:
    return f"echo {uuid.uuid4()}"


def kinds(events: Events) -> list[str]:
    return [event["type"] for event in events]


async def look_inside(result: BuildResult, *command: str) -> str:
    """What a command prints in a container of the image."""
    async with connect() as client:
        started = await client.mutation("runs.start", {"image": result.ref, "command": list(command)})
        output = b""
        async with aclosing(client.subscription("runs.follow", {"id": started["run"]})) as events:
            async for event in events:
                if event["type"] == "output":
                    output += base64.b64decode(event["data"])
                if event["type"] == "run-exited":
                    assert event["exitCode"] == 0, output
        return output.decode()


def state_of_build(build: str) -> str:
    async def ask() -> str:
        async with connect() as client:
            state: str = (await client.query("builds.get", {"id": build}))["state"]
            return state

    return run(ask())


def test_a_plan_says_what_is_missing_and_what_would_be_sent(place: Place) -> None:
    place.write({"a": os.urandom(1000), "b/c": os.urandom(500)})
    image = SLIM.copy_local_dir(place.directory, "/app").env(A="1")
    plan = image.plan()
    assert [(layer.operation, layer.status) for layer in plan.layers] == [
        ("debianSlim", "hit"),
        ("copyLocalDir", "missing"),
        ("env", "missing"),
    ]
    assert plan.image == plan.layers[-1].id
    assert (plan.upload.files, plan.upload.bytes) == (2, 1500)


def test_an_image_of_both_sdks_is_built_once(place: Place) -> None:
    place.write({"src/a": os.urandom(100).hex(), "src/b.log": "left out"})
    text = str(uuid.uuid4())
    image = (
        SLIM.env(GREETING=text)
        .copy_local_dir(place.path("src"), "/app", ignore="*.log")
        .run_commands('echo "$GREETING" > /greeting', "cat /app/a")
        .workdir("/app")
    )
    ours = image.build(name="both")
    assert [layer.status for layer in ours.layers] == ["hit", "built", "built", "built", "built"]
    theirs = by_typescript(place.path("src"), text)
    assert [layer["status"] for layer in theirs["layers"]] == ["hit"] * 5
    assert [layer["id"] for layer in theirs["layers"]] == [layer.id for layer in ours.layers]
    assert (theirs["ref"], theirs["id"]) == (ours.ref, ours.id)
    assert image.build().ref == ours.ref
    assert run(look_inside(ours, "sh", "-c", "cat /greeting; ls /app; pwd")) == f"{text}\na\n/app\n"


def test_two_sdks_that_want_the_same_at_once_share_what_is_made(place: Place) -> None:
    place.write({"src/a": os.urandom(100).hex()})
    text = str(uuid.uuid4())
    theirs: list[Any] = []
    other = threading.Thread(target=lambda: theirs.append(by_typescript(place.path("src"), text)))
    other.start()
    ours = (
        SLIM.env(GREETING=text)
        .copy_local_dir(place.path("src"), "/app", ignore="*.log")
        .run_commands('echo "$GREETING" > /greeting', "cat /app/a")
        .workdir("/app")
        .build()
    )
    other.join()
    assert theirs[0]["ref"] == ours.ref


def by_typescript(directory: str, text: str) -> Any:
    script = Path(__file__).parent.parent / "support" / "build.ts"
    done = subprocess.run(
        [os.environ.get("LAMINA_TEST_NODE", "node"), str(script), directory, text], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_step_that_fails_says_what_where_and_why_and_what_came_before_is_kept() -> None:
    image = SLIM.run_commands(something_new()).run_commands("echo so far", "echo no >&2; exit 7")
    events: Events = []
    with pytest.raises(LaminaError) as caught:
        image.build(on_event=events.append)
    error = caught.value
    assert (error.code, error.exit_code, error.command) == ("STEP_FAILED", 7, "echo no >&2; exit 7")
    assert error.last_lines[-1] == "no"
    assert error.source is not None
    assert "run_commands" in Path(error.source.file).read_text().splitlines()[error.source.line - 1]
    plan = image.plan()
    assert [layer.status for layer in plan.layers] == ["hit", "hit", "missing"]
    assert error.layer == plan.layers[2].id


def test_progress_is_said_on_stderr_and_only_where_it_is_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    image = SLIM.run_commands("echo 'a line of output'", something_new())
    image.build(name="shown")
    out, err = capfd.readouterr()
    assert out == ""
    assert "[1 runCommands] a line of output\n" in err
    assert "shown: done in" in err
    assert ": 1 hit, 1 built\n" in err
    image.build(show_progress=False)
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_built_says_where_it_was_asked_for(place: Place) -> None:
    bad: list[tuple[str, Image]] = [
        ("BASE_NOT_FOUND", Image.debian_slim(python_version="3.99")),
        ("SECRET_MISSING", SLIM.run_commands("true", secrets=[Secret.from_name("nowhere")])),
        ("POOL_UNAVAILABLE", SLIM.run_commands("true", gpu="H100")),
        ("INVALID_INPUT", SLIM.dockerfile_commands(["FROM x"])),
        ("INVALID_INPUT", SLIM.copy_local_file(place.path("missing"), "/x")),
    ]
    for code, image in bad:
        with pytest.raises(LaminaError) as caught:
            image.build(show_progress=False)
        assert caught.value.code == code
        assert caught.value.source is not None
        assert caught.value.source.file == __file__


def test_secrets_reach_the_step_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    value = f"hunter2-{uuid.uuid4()}"
    events: Events = []
    image = SLIM.run_commands('echo "it is $TOKEN"; [ ${#TOKEN} = 44 ]', secrets=[Secret.from_dict({"TOKEN": value})])
    image.build(on_event=events.append)
    assert value not in json.dumps(events) + "".join(capfd.readouterr())
    assert any("it is" in event.get("line", "") for event in events)


def test_files_of_several_packs_arrive_whole_and_once(place: Place) -> None:
    mib = 1024 * 1024
    place.write({"big": os.urandom(40 * mib), **{f"f{number}": os.urandom(5 * mib) for number in range(10)}, "empty": b""})
    image = SLIM.copy_local_dir(place.directory, "/app")
    events: Events = []
    result = image.build(on_event=events.append, show_progress=False)
    uploads = [event["bytes"] for event in events if event["type"] == "upload"]
    assert uploads == sorted(uploads)
    assert uploads[-1] == 90 * mib
    sums = run(look_inside(result, "sh", "-c", "cd /app && sha256sum *"))
    here = subprocess.run("sha256sum *", shell=True, cwd=place.directory, capture_output=True, text=True, check=True).stdout
    assert sums == here
    place.write({"f0": b"changed"})
    assert image.plan().upload.bytes == 7


_UPLOADING = """
import resource, sys
from lamina import Image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
Image.debian_slim(python_version="3.13").copy_local_dir(sys.argv[1], "/app").build(show_progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat_while_a_large_file_is_sent(place: Place) -> None:
    with open(place.path("large"), "wb") as file:
        for _ in range(8):
            file.write(os.urandom(16 * 1024 * 1024))
    grown = int(python(_UPLOADING, place.path(".")).stdout)
    assert grown < 48 * 1024, f"{grown} kB for 128 MiB"


def test_a_file_that_changes_between_planning_and_sending_is_an_error_that_says_so(place: Place) -> None:
    from lamina._plan import ask_for_plan
    from lamina._snapshot import snapshot_of
    from lamina._upload.upload import upload
    from lamina.image import state_of

    async def send() -> None:
        state = state_of(SLIM.copy_local_dir(place.directory, "/app"))
        async with connect() as client:
            _, trees = await ask_for_plan(client, state, snapshot_of(state))
            place.write({"a": os.urandom(100)})
            await upload(client, trees, lambda _: None)

    place.write({"a": os.urandom(100)})
    with pytest.raises(LaminaError, match='/a" changed while it was read') as caught:
        run(send())
    assert caught.value.code == "INVALID_INPUT"
    assert caught.value.source is not None


def test_a_task_that_is_cancelled_cancels_the_build() -> None:
    events: Events = []

    async def build() -> None:
        started = asyncio.Event()

        def on_event(event: Mapping[str, Any]) -> None:
            events.append(event)
            if event["type"] == "layer-started":
                started.set()

        task = asyncio.create_task(SLIM.run_commands(something_new(), "sleep 1000").build.aio(on_event=on_event))
        await started.wait()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(build())
    assert state_of_build(events[0]["build"]) == "cancelled"


_WAITING = """
import sys
from lamina import Image
image = Image.debian_slim(python_version="3.13").run_commands(sys.argv[1], "sleep 1000")
image.build(on_event=lambda event: print(event.get("build", event["type"]), flush=True), show_progress=False)
"""


def test_ctrl_c_cancels_the_build() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING, something_new()], env=variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        build = process.stdout.readline().strip()
        while process.stdout.readline().strip() != "layer-started":
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert err.endswith("KeyboardInterrupt\n")
    assert state_of_build(build) == "cancelled"


_READING = """
import sys
from lamina import Image
def condition(path):
    print("asked", flush=True)
    return True
Image.debian_slim(python_version="3.13").copy_local_dir(sys.argv[1], "/x", condition=condition).plan()
"""


def test_ctrl_c_ends_the_reading_of_local_files(place: Place) -> None:
    place.write({"a": ""})
    os.truncate(place.path("a"), 2**40)
    with subprocess.Popen(
        [sys.executable, "-c", _READING, place.path(".")], env=variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert err.endswith("KeyboardInterrupt\n")


def test_instructions_that_take_what_is_not_there_are_an_error_at_the_users_line(place: Place) -> None:
    place.write({"a": "a"})
    for commands, files in [(["COPY a /x"], None), (["COPY b /x"], {"a": place.path("a")})]:
        with pytest.raises(LaminaError) as caught:
            SLIM.dockerfile_commands(commands, context_files=files).build(show_progress=False)
        assert caught.value.source is not None
        assert caught.value.source.file == __file__


def test_a_connection_that_is_lost_is_made_again_and_each_event_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    address = urlsplit(os.environ["LAMINA_URL"])
    proxy = Proxy(address.hostname or "", address.port or 0)
    monkeypatch.setenv("LAMINA_URL", proxy.url)
    events: Events = []

    def on_event(event: Mapping[str, Any]) -> None:
        events.append(event)
        if event["type"] == "log" and event["line"] in ("line 3", "line 7"):
            proxy.cut()

    lines = "for n in 1 2 3 4 5 6 7 8 9; do echo line $n; sleep 0.3; done"
    SLIM.run_commands(something_new(), lines).build(on_event=on_event, show_progress=False)
    proxy.close()
    said = [event["line"] for event in events if event["type"] == "log" and event["line"].startswith("line")]
    assert said == [f"line {number}" for number in range(1, 10)]
    assert kinds(events)[-1] == "done"
    assert proxy.connections > 2


def test_a_wrong_token_is_refused_in_words_that_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_TOKEN", "nobodys")
    with pytest.raises(LaminaError, match="LAMINA_TOKEN") as caught:
        SLIM.plan()
    assert caught.value.code == "UNAUTHORIZED"

    async def follow() -> None:
        async with connect() as client, aclosing(client.subscription("builds.follow", {"id": "x"})) as events:
            async for _ in events:
                pass

    with pytest.raises(LaminaError) as followed:
        run(follow())
    assert followed.value.code == "UNAUTHORIZED"


def test_a_build_that_does_not_exist_is_an_error() -> None:
    async def follow() -> None:
        async with connect() as client:
            feed: AsyncGenerator[Any, None] = client.subscription("builds.follow", {"id": "019a0000-0000-7000-8000-000000000000"})
            async for _ in feed:
                pass

    with pytest.raises(LaminaError) as caught:
        run(follow())
    assert caught.value.code == "NOT_FOUND"


def test_a_feed_until_now_ends_with_what_is_there() -> None:
    async def events() -> Events:
        async with connect() as client:
            result = await SLIM.run_commands(something_new()).build.aio(show_progress=False, name="now")
            build = next(one for one in await client.query("builds.list", {"limit": 50}) if one["image"] == result.id)
            feed = client.subscription("builds.follow", {"id": build["id"], "until": "now"}, ends_now=True)
            return [event async for event in feed]

    assert kinds(run(events()))[-1] == "done"


def test_a_platform_that_is_not_there_is_said_to_be_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy("127.0.0.1", 1)
    url = proxy.url
    proxy.close()
    monkeypatch.setenv("LAMINA_URL", url)
    with pytest.raises(
        LaminaError, match=r"cannot be reached: Connection refused\. `lamina doctor` says why; start one with `lamina up`"
    ) as caught:
        SLIM.plan()
    assert caught.value.code == "UNREACHABLE"


def test_something_else_that_answers_is_no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("LAMINA_URL", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(LaminaError, match="is no platform of Lamina") as caught:
            SLIM.plan()
        server.shutdown()
    assert caught.value.code == "UNREACHABLE"


def test_the_platform_can_be_named_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    address = PlatformAddress(os.environ["LAMINA_URL"], os.environ["LAMINA_TOKEN"])
    monkeypatch.delenv("LAMINA_URL")
    assert address.token not in repr(address)

    async def version() -> object:
        async with connect(address) as client:
            return (await client.info())["version"]

    assert isinstance(run(version()), str)


def test_both_forms_work_from_many_threads_and_in_an_event_loop() -> None:
    plans: list[str] = []
    threads = [threading.Thread(target=lambda: plans.append(SLIM.plan().image)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def both() -> list[str]:
        # A form that waits, called in an event loop, blocks it and is no error.
        return [(await SLIM.plan.aio()).image, SLIM.plan().image]

    assert {*plans, *asyncio.run(both())} == {SLIM.plan().image}
    assert len(plans) == 5


def test_a_form_that_waits_is_refused_where_it_would_wait_for_itself() -> None:
    def on_event(event: Mapping[str, Any]) -> None:
        SLIM.plan()

    with pytest.raises(RuntimeError, match=r"await the form \.aio"):
        SLIM.build(on_event=on_event, show_progress=False)


def variables() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-c", code, *args], env=variables(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


_FORKING = """
import os, sys
from lamina import Image
image = Image.debian_slim(python_version="3.13")
print(image.plan().image, flush=True)
child = os.fork()
if child == 0:
    print(image.plan().image, flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_was_forked_off_has_an_event_loop_of_its_own() -> None:
    here = SLIM.plan().image
    done = python(_FORKING)
    assert done.stdout == f"{here}\n{here}\n"
