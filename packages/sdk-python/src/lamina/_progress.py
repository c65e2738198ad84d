"""What an event of a build is worth saying to people, as whole lines on stderr."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ._layer_results import layers_after
from ._results import LayerResult

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_COLOR = re.compile(r"(\x1b\[[\d;:]*m)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FAILED = re.compile(r"^(lamina: command \d+ of \d+: exit status \d+): .*$")
_CUT_OFF = {
    "expired": "the builder was lost; another one goes on",
    "released": "the builder was stopped; another one goes on",
    "cancelled": "cancelled",
}


class Progress:
    """Says on stderr what happens to one build."""

    def __init__(self, name: str, *, brief: bool = False) -> None:
        """Under that name; `brief` where it is on the way to something else: nothing is said of layers that all are there."""
        self._brief = brief
        self._name = name
        self._since = time.monotonic()
        self._layers: Sequence[LayerResult] = ()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Take in an event, and say what is worth it."""
        self._layers = layers_after(self._layers, event)
        for line in self._lines(event):
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def _lines(self, event: Mapping[str, Any]) -> list[str]:
        kind = event["type"]
        if kind == "planned":
            if self._brief and all(one.status == "hit" for one in self._layers):
                return []
            return [f"{self._label(one.id)} hit" for one in self._layers if one.status == "hit"]
        if kind == "upload":
            return [f"{self._name}: sent {size_text(event['total'])} of local files"] if event["bytes"] == event["total"] else []
        if kind == "attempt":
            pool = event["pool"]
            is_alone = event.get("builders") == 0
            waiting = (
                f"waiting for a builder of the pool {pool}, of which none was heard of lately" if is_alone else "waiting for a builder"
            )
            return [f"{self._name}: {'joined what another build began' if event['joined'] else waiting}"]
        if kind == "attempt-cut-off":
            return [f"{self._name}: {_CUT_OFF.get(event['reason'], event['reason'])}"]
        if kind == "preparing":
            return [f"{self._name}: {event['what']}"]
        if kind in ("done", "failed", "cancelled"):
            return [f"{self._name}: {self._end(kind)}"]
        text = _layer_text(event)
        return [] if text is None else [f"{self._label(event['layer'])} {text}"]

    def _end(self, kind: str) -> str:
        took = duration_text(time.monotonic() - self._since)
        if kind != "done":
            return f"{kind} after {took}"
        hits = sum(one.status == "hit" for one in self._layers)
        return f"done in {took}: {hits} hit, {len(self._layers) - hits} built"

    def _label(self, layer: str) -> str:
        for index, one in enumerate(self._layers):
            if one.id == layer:
                return f"[{index} {one.operation}]"
        return f"[{layer[:12]}]"


def _layer_text(event: Mapping[str, Any]) -> str | None:
    kind = event["type"]
    if kind == "layer-started":
        return "building"
    if kind == "log":
        # The last line of a step that fails has the command, which was said when it began.
        return _FAILED.sub(r"\1", plain_line(event["line"]))
    if kind == "layer-built":
        return f"built in {duration_text(event['seconds'])}"
    return f"published, {size_text(event['bytes'])}" if kind == "layer-published" else None


def plain_line(line: str) -> str:
    """One line of a program's output without what moves the cursor: what a progress bar overwrote is left out."""
    shown = _ESCAPE.sub("", line).rstrip().rsplit("\r", 1)[-1]
    return _CONTROL.sub("", shown.replace("\t", "  "))


def output_line(line: str, *, colored: bool) -> str:
    """One line of what a function wrote: its tabs stay, and on a terminal its colours, which end with it."""
    parts = _COLOR.split(line) if colored else [line]
    if len(parts) == 1:
        return "\t".join(map(plain_line, line.split("\t")))
    shown = [
        part if index % 2 else "\t".join(_CONTROL.sub("", _ESCAPE.sub("", one)) for one in part.split("\t"))
        for index, part in enumerate(parts)
    ]
    return f"{''.join(shown)}\x1b[0m"


def wants_colors(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """NO_COLOR, then FORCE_COLOR, then whether it is a terminal that can."""
    if environment.get("NO_COLOR"):
        return False
    force = environment.get("FORCE_COLOR")
    return force not in ("0", "false") if force else is_terminal and environment.get("TERM") != "dumb"


def size_text(size: float) -> str:
    """Such as "1.5 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if size >= 100 or unit == "B" else f"{size:.3g} {unit}"


def duration_text(seconds: float) -> str:
    """Such as "350ms", "2.8s", "1m 4s"."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    return f"{seconds:.1f}s" if seconds < 60 else f"{int(seconds // 60)}m {int(seconds % 60)}s"
