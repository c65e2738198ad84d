"""The names and parameters of the API that is to be offered, in their order."""

from __future__ import annotations

import inspect

import pytest

from lamina import App, Image, Secret

_REFERENCE = {
    "debian_slim": ["python_version", "builder_version"],
    "from_registry": ["tag", "secret", "setup_dockerfile_commands"],
    "pip_install": ["*packages", "find_links", "index_url", "extra_index_url", "pre", "force_build"],
    "poetry_install_from_file": ["poetry_pyproject_toml", "poetry_lock_file", "ignore_lockfile"],
    "run_commands": ["*commands", "secrets", "gpu"],
    "apt_install": ["*packages", "force_build"],
    "copy_local_file": ["local_path", "remote_path"],
    "copy_local_dir": ["local_path", "remote_path", "condition"],
    "add_python_packages": ["*python_packages", "force_build"],
    "dockerfile_commands": ["dockerfile_commands", "secrets", "gpu", "context_files"],
    "env": ["**env_vars"],
    "workdir": ["path"],
}
_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


@pytest.mark.parametrize("method", _REFERENCE)
def test_methods_take_what_the_reference_says_first(method: str) -> None:
    parameters = [one for one in inspect.signature(getattr(Image, method)).parameters.values() if one.name != "self"]
    names = [f"{_STARS.get(one.kind, '')}{one.name}" for one in parameters]
    assert names[: len(_REFERENCE[method])] == _REFERENCE[method]
    # What there is beside it need not be given.
    assert all(one.default is not one.empty for one in parameters[len(_REFERENCE[method]) :])


@pytest.mark.parametrize(
    "method", ["pip_install", "poetry_install_from_file", "run_commands", "apt_install", "add_python_packages", "dockerfile_commands"]
)
def test_what_runs_something_takes_secrets_a_gpu_and_force_build(method: str) -> None:
    assert {"secrets", "gpu", "force_build"} <= set(inspect.signature(getattr(Image, method)).parameters)


def test_every_public_name_says_what_it_is() -> None:
    for owner in (Image, Secret, App):
        for name, member in inspect.getmembers(owner):
            if not name.startswith("_"):
                assert inspect.getdoc(member), f"{owner.__name__}.{name}"
