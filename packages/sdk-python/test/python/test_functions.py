"""Functions on a real platform, which LAMINA_URL and LAMINA_TOKEN name."""

from __future__ import annotations

import pytest

from numbers_app import app, double


def test_a_function_runs_in_its_container_and_what_it_writes_is_said_here(capfd: pytest.CaptureFixture[str]) -> None:
    with app.run():
        assert double.remote(21) == 42
    out, err = capfd.readouterr()
    assert (out, "doubling 21\n" in err) == ("", True)
