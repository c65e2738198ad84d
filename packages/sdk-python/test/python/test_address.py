"""Which platform is talked to, and what is said where that is of another version."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import pytest

from conftest import Place
from lamina import LaminaError, SourceLocation
from lamina._config import sdk_config
from lamina._errors import error_from
from lamina._platform import find_platform
from lamina._synchronize import run
from lamina._version import VERSION
from lamina._version_mismatch import explain_mismatch


def test_the_environment_names_the_platform_else_the_file_of_the_embedded_one_does(place: Place) -> None:
    place.write({"platform.json": json.dumps({"url": "http://127.0.0.1:1", "token": "t", "pid": 1})})
    home = {"LAMINA_HOME": str(place.directory)}
    found = find_platform(sdk_config(home))
    assert (found.url, found.token) == ("http://127.0.0.1:1", "t")
    named = {**home, "LAMINA_URL": "https://lamina.example", "LAMINA_TOKEN": "s"}
    assert find_platform(sdk_config(named)).url == "https://lamina.example"
    for change, code in [({"LAMINA_TOKEN": ""}, "UNAUTHORIZED"), ({"LAMINA_URL": "here"}, "INVALID_INPUT")]:
        with pytest.raises(LaminaError) as caught:
            find_platform(sdk_config({**named, **change}))
        assert caught.value.code == code


def test_without_a_platform_the_error_says_how_to_start_one(place: Place) -> None:
    with pytest.raises(LaminaError, match="`lamina up`") as caught:
        find_platform(sdk_config({"LAMINA_HOME": str(place.home)}))
    assert caught.value.code == "UNREACHABLE"


def test_a_damaged_file_of_the_embedded_platform_is_told_apart_from_none(place: Place) -> None:
    place.write({"platform.json": "{"})
    with pytest.raises(LaminaError, match=r"platform\.json"):
        find_platform(sdk_config({"LAMINA_HOME": str(place.directory)}))


def test_state_lies_where_lamina_home_says_else_in_the_users_data_directory() -> None:
    assert sdk_config({"LAMINA_HOME": "/x"}).home == "/x"
    assert sdk_config({"LAMINA_HOME": "x"}).home == f"{os.getcwd()}/x"
    assert sdk_config({"XDG_DATA_HOME": "/data"}).home == "/data/lamina"
    assert sdk_config({}).home.endswith("/.local/share/lamina")


_ANSWER = LaminaError("INVALID_INPUT", "Unrecognized key.")


def _explained(version: str, error: LaminaError = _ANSWER) -> LaminaError:
    async def info() -> Mapping[str, str]:
        return {"version": version}

    return run(explain_mismatch(error, info))


def test_a_platform_of_another_version_is_said_to_be_so() -> None:
    older = _explained("0.0.9")
    assert older.code == "VERSION_MISMATCH"
    assert older.message == f"The platform is version 0.0.9, and this SDK {VERSION}: upgrade the platform. It answered: Unrecognized key."
    assert "upgrade the Python package `lamina`" in _explained("0.20.0").message


def test_an_error_that_has_nothing_to_do_with_versions_stays_as_it_is() -> None:
    place = SourceLocation("/a.py", 1, 1)
    assert _explained("0.1.7") is _ANSWER
    for error in (LaminaError("SECRET_MISSING", "There is no secret."), LaminaError("INVALID_INPUT", "No.", source=place)):
        assert _explained("0.2.0", error) is error
    assert _explained("0.2.0", LaminaError("UNKNOWN_BUILDER_VERSION", "No.", source=place)).source == place


def test_a_code_that_a_newer_platform_has_is_said() -> None:
    error = error_from({"code": "NEW_CODE", "message": "Something new."})
    assert error is not None
    assert (error.code, error.message) == ("INTERNAL", "Something new. (NEW_CODE, which this version of Lamina does not know)")
    assert error_from({"code": 3}) is None
    refused = error_from({"code": "INVALID_INPUT", "reason": "missing-source", "message": "x"})
    assert refused is not None
    assert refused.reason == "missing-source"
