"""What is said of a build on stderr."""

from __future__ import annotations

from typing import Any

import pytest

from lamina._progress import Progress, duration_text, output_line, size_text

_LAYERS = [
    {"id": "a" * 64, "operation": "debianSlim", "status": "hit", "bytes": 1},
    {"id": "b" * 64, "operation": "pipInstall", "status": "missing"},
]
_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "build", "build": "x"}, ""),
    ({"type": "planned", "layers": _LAYERS}, "[0 debianSlim] hit\n"),
    ({"type": "attempt", "pool": "cpu", "joined": False, "builders": 1}, "shop: waiting for a builder\n"),
    (
        {"type": "attempt", "pool": "T4", "joined": False, "builders": 0},
        "shop: waiting for a builder of the pool T4, of which none was heard of lately\n",
    ),
    ({"type": "attempt", "pool": "cpu", "joined": True}, "shop: joined what another build began\n"),
    ({"type": "upload", "bytes": 1, "total": 2}, ""),
    ({"type": "upload", "bytes": 1500, "total": 1500}, "shop: sent 1.5 kB of local files\n"),
    ({"type": "preparing", "what": "fetching files"}, "shop: fetching files\n"),
    ({"type": "layer-started", "layer": "b" * 64}, "[1 pipInstall] building\n"),
    ({"type": "log", "layer": "b" * 64, "line": "\x1b[31mred\x1b[0m\t 10%\r 20%\x07 "}, "[1 pipInstall]  20%\n"),
    (
        {"type": "log", "layer": "b" * 64, "line": "lamina: command 1 of 1: exit status 2: make install"},
        "[1 pipInstall] lamina: command 1 of 1: exit status 2\n",
    ),
    ({"type": "progress", "layer": "b" * 64, "what": "pushing", "current": 1}, ""),
    ({"type": "layer-built", "layer": "b" * 64, "seconds": 0.35}, "[1 pipInstall] built in 350ms\n"),
    ({"type": "layer-published", "layer": "b" * 64, "bytes": 2_000_000}, "[1 pipInstall] published, 2 MB\n"),
    ({"type": "attempt-cut-off", "reason": "expired"}, "shop: the builder was lost; another one goes on\n"),
    ({"type": "attempt-cut-off", "reason": "of a newer platform"}, "shop: of a newer platform\n"),
    ({"type": "of a newer platform"}, ""),
]


def test_what_functions_write_keeps_its_tabs_and_its_colours_only_on_a_terminal() -> None:
    line = "\x1b[1;31mred\x1b]0;t\x07\tx\x1b[2J"
    assert output_line(line, colored=False) == "red\tx"
    assert output_line(line, colored=True) == "\x1b[1;31mred\tx\x1b[0m"
    assert output_line("plain\ttext", colored=True) == "plain\ttext"


def test_what_is_on_the_way_to_something_else_says_nothing_of_layers_that_all_are_there(capfd: pytest.CaptureFixture[str]) -> None:
    hits = {"type": "planned", "layers": _LAYERS[:1]}
    Progress("shop", brief=True)(hits)
    assert capfd.readouterr().err == ""
    Progress("shop", brief=True)({"type": "planned", "layers": _LAYERS})
    Progress("shop")(hits)
    assert capfd.readouterr().err == "[0 debianSlim] hit\n" * 2


def test_events_are_said_as_whole_lines_and_those_that_are_not_known_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress("shop")
    for event, said in _EVENTS:
        progress(event)
        assert capfd.readouterr().err == said, event
    progress({"type": "done"})
    assert capfd.readouterr().err.endswith(": 1 hit, 1 built\n")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (999_900, "1000 kB"), (5.2e12, "5200 GB")]
)
def test_sizes_are_said_in_short(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.0123, "12ms"), (2.84, "2.8s"), (64.9, "1m 4s"), (3600, "60m 0s")])
def test_durations_are_said_in_short(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
