"""What the tests share, and the report that vitest reads."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

# Its assertions show what differs, as those of tests do.
pytest.register_assert_rewrite("same_definition")

# What is started in the background ignores Ctrl-C, and so would the programs that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Place:
    """A directory of a test's own, with a home for the SDK beside it."""

    def __init__(self, root: Path) -> None:
        self.directory = root / "files"
        self.home = root / "home"
        self.directory.mkdir()

    def path(self, relative: str) -> str:
        return str(self.directory / relative)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            file = self.directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(tmp_path.resolve())
    monkeypatch.setenv("LAMINA_HOME", str(place.home))
    yield place
    for directory in [place.directory, *place.directory.rglob("*")]:
        if directory.is_dir() and not directory.is_symlink():
            directory.chmod(0o700)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file = os.environ.get("LAMINA_TEST_REPORT")
    if file is None or (report.when != "call" and report.passed):
        return
    name = report.location[2].split("[")[0]
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(json.dumps({"test": name, "outcome": report.outcome, "text": report.longreprtext}) + "\n")
