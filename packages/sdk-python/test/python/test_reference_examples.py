"""The examples of the API's reference: their images are built on a real platform, and their functions run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conftest import Place
from lamina import App, LaminaError
from lamina._cli.load import import_file
from reference import example, headings
from tiny_model import HIDDEN, model_files

_FILES = Path(__file__).parents[3] / "sdk" / "examples"
_IRIS = Path(__file__).parents[1] / "reference" / "iris.csv"

Load = Callable[..., ModuleType]


@pytest.fixture
def load(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Imports an example out of a directory that has its code alone, while local files are in the working directory."""
    code = place.directory / "code"
    here = place.directory / "files"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names: list[str] = []

    def load(heading: str, more: str = "") -> ModuleType:
        name = re.sub(r"\W+", "_", heading).lower()
        names.append(name)
        place.write({f"code/{name}.py": example(heading) + more})
        return import_file(str(code / f"{name}.py"))

    yield load
    for name in names:
        sys.modules.pop(name, None)


def beside(place: Place, *names: str) -> None:
    """Local files of an example, in the working directory."""
    for name in names:
        source, target = _FILES / name, place.directory / "files" / Path(name).name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def only_app(module: ModuleType) -> App:
    [app] = [value for value in vars(module).values() if isinstance(value, App)]
    return app


def looking_into(image: str, body: str) -> str:
    """A function in addition, for examples that have none."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return f"\napp = modal.App('look')\n\n@app.function(image={image})\ndef look():\n{lines}\n"


def look(module: ModuleType) -> Any:
    with only_app(module).run():
        return module.look.remote()


def test_each_is_here() -> None:
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {re.sub(r"\W+", "_", heading).lower() for heading in headings()} <= tests


def test_basic_python_environment(load: Load) -> None:
    module = load("Basic Python Environment")
    with module.app.run():
        found = module.scrape_and_analyze.remote(os.environ["EXAMPLE_PAGE"])
    assert found == {"total_links": 4, "unique_domains": 2}


def test_data_science_environment(load: Load, place: Place) -> None:
    # Where the code is, a package with the data: 150 flowers, measured by E. Anderson.
    place.write({"code/flowers/__init__.py": "", "code/flowers/iris.csv": _IRIS.read_bytes()})
    module = load("Data Science Environment")
    with module.app.run():
        trained = module.train_model.remote("/lamina/code/flowers/iris.csv")
    assert trained["model_type"] == "RandomForest"
    assert 0.8 < trained["accuracy"] <= 1


_SEEN = """

@app.function(image=custom_image, gpu="T4")
def seen():
    import glob, os
    return [os.environ.get("LAMINA_TEST_GPU"), len(glob.glob("/dev/lamina-test-gpu-*"))]
"""


def test_custom_base_image(load: Load, place: Place) -> None:
    """On what stands in for a GPU, with a model as small as one can be, by Debian's PyTorch, which counts on the processor."""
    place.write({"code/tiny/__init__.py": "", **{f"code/tiny/{name}": content for name, content in model_files().items()}})
    module = load("Custom Base Image", _SEEN)
    given = ["/lamina/code/tiny", "Hello world"]
    with module.app.run():
        assert module.seen.remote() == ["1", 1]
        # Its class is one of PyTorch's, which is not here.
        with pytest.raises(LaminaError, match="torch") as caught:
            module.run_inference.remote(*given)
    assert caught.value.code == "VALUE_UNREADABLE"
    # What is shown as JSON needs no classes.
    found = run_command(f"{module.__file__}::run_inference", *given)
    assert found["embeddings_shape"] == [1, 4, HIDDEN]
    assert -5 < found["mean_embedding"] < 5


def run_command(*args: str) -> Any:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "lamina._run", "run", args[0], "--", *args[1:]], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_development_environment_with_local_code(load: Load, place: Place) -> None:
    beside(place, "development/src", "development/requirements.txt")
    module = load("Development Environment with Local Code")
    with module.app.run():
        tested = module.run_tests.remote()
    assert (tested["exit_code"], tested["stderr"]) == (0, "")
    assert "test_a_book_that_was_added_is_found PASSED" in tested["stdout"]
    assert "2 passed" in tested["stdout"]


def test_poetry_based_project(load: Load, place: Place) -> None:
    beside(place, "poetry/pyproject.toml", "poetry/poetry.lock", "poetry/my_package")
    module = load("Poetry-based Project")
    with module.app.run():
        assert module.process_with_poetry_deps.remote() == "5.0 GB"


def test_multi_stage_build(load: Load, place: Place) -> None:
    beside(place, "multi-stage/setup.py", "multi-stage/src")
    module = load("Multi-stage Build")
    with module.app.run():
        assert module.run_optimized_computation.remote([1, 2, 3]) == 14.0


def test_environment_variables_and_configuration(load: Load, place: Place) -> None:
    beside(place, ".env.production")
    body = """
import os, pydantic
from dotenv import dotenv_values
return [os.environ[name] for name in ("ENVIRONMENT", "LOG_LEVEL", "API_TIMEOUT")] + [dotenv_values("/app/.env")["API_URL"]]
"""
    module = load("Environment Variables and Configuration", looking_into("config_image", body))
    assert look(module) == ["production", "INFO", "30", "https://api.example.com"]


def test_caching_for_faster_builds(load: Load, place: Place) -> None:
    beside(place, "requirements.txt")
    module = load("Caching for Faster Builds", looking_into("cached_image", "import numpy, pandas, requests\nreturn requests.__version__"))
    assert look(module) == "2.32.3"
    again = module.cached_image.build(show_progress=False)
    assert {layer.status for layer in again.layers} == {"hit"}
    place.write({"files/requirements.txt": "requests==2.32.4\n"})
    plan = module.cached_image.plan()
    assert [layer.status for layer in plan.layers] == ["hit", "hit", "missing", "missing"]


def test_secrets_in_build_process(load: Load) -> None:
    body = """
import os, private_package, subprocess
tokens = [name for name in ("GITHUB_TOKEN", "PRIVATE_REGISTRY_TOKEN") if name in os.environ]
remote = subprocess.run(["git", "-C", "/app", "remote", "get-url", "origin"], capture_output=True, text=True).stdout
return [private_package.ANSWER, open("/app/README.md").read(), remote, tokens]
"""
    module = load("Secrets in Build Process", looking_into("secure_image", body))
    url = f"http://{os.environ['EXAMPLE_GIT_SERVER']}/private/repo.git"
    assert look(module) == [42, "private\n", f"{url}\n", []]
