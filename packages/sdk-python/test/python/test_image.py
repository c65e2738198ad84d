"""An image is a value, says where it was made, and refuses what cannot be right at the call."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import lamina
from conftest import Place
from lamina import App, Image, LaminaError, Secret
from lamina._image_secrets import base_values, inline_values
from lamina._snapshot import snapshot_of
from lamina.image import state_of

IMAGE = Image.debian_slim(python_version="3.12")


def operations(image: Image) -> Any:
    return state_of(image).steps


_STEPS: list[Callable[[Image], Image]] = [
    lambda image: image.pip_install("numpy"),
    lambda image: image.apt_install("git"),
    lambda image: image.run_commands("true", force_build=True),
    lambda image: image.env(A="1"),
    lambda image: image.workdir("/x"),
    lambda image: image.copy_local_file("a"),
]


@pytest.mark.parametrize("seed", range(20))
def test_two_branches_off_one_base_never_touch_each_other(seed: int) -> None:
    chance = random.Random(seed)
    common, left, right = (chance.choices(_STEPS, k=chance.randint(0, 5)) for _ in range(3))

    def grow(image: Image, steps: list[Callable[[Image], Image]]) -> Image:
        for step in steps:
            image = step(image)
        return image

    base = grow(IMAGE, common)
    before = operations(base)
    one, other = grow(base, left), grow(base, right)
    assert operations(base) == before
    assert operations(one) == before + operations(grow(IMAGE, left))
    assert operations(other) == before + operations(grow(IMAGE, right))


def test_changing_what_was_passed_in_does_not_change_the_image() -> None:
    links, commands, secrets = ["/wheels"], ["RUN true"], [Secret.from_dict({"A": "1"})]
    files: dict[str, str] = {"a": "b"}
    image = IMAGE.pip_install("x", find_links=links, secrets=secrets).dockerfile_commands(commands, context_files=files)
    before = repr(operations(image))
    links[0], commands[0], files["c"] = "/other", "RUN false", "d"
    secrets.clear()
    assert repr(operations(image)) == before


def test_an_image_does_not_change() -> None:
    with pytest.raises(AttributeError, match="does not change"):
        IMAGE._state = state_of(IMAGE.workdir("/x"))
    with pytest.raises(TypeError, match="starts from a base"):
        Image()
    assert copy.copy(IMAGE) is copy.deepcopy(IMAGE) is IMAGE


def test_an_image_says_where_each_of_its_methods_was_called() -> None:
    image = (
        Image.debian_slim()  # here
        .apt_install("git")
        # and here
        .workdir("/srv")
    )
    sources = state_of(image).sources
    first = inspect.getsourcelines(test_an_image_says_where_each_of_its_methods_was_called)[1] + 2
    assert [(source.file, source.line - first) for source in sources if source is not None] == [
        (__file__, 0),
        (__file__, 1),
        (__file__, 3),
    ]
    assert all(source is not None and source.column >= 1 for source in sources)


def test_without_a_file_there_is_no_place() -> None:
    code = "from lamina import Image\nfrom lamina.image import state_of\nprint(state_of(Image.debian_slim()).sources)"
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-"], input=code, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "(None,)\n"


def test_images_are_described_with_the_standard_library_alone() -> None:
    package = os.path.dirname(os.path.dirname(lamina.__file__))
    code = (
        f"import sys; sys.path.insert(0, {package!r})\n"
        + """
from lamina import App, Image, Secret
image = Image.debian_slim().pip_install("x", secrets=[Secret.from_dict({"A": "1"})]).copy_local_dir("src").env(A="1")
print(App("a"), image, sorted(name for name in sys.modules if name.partition(".")[0] in ("httpx", "zstandard", "tomli")))
"""
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.endswith("and 3 steps> []\n")


def test_without_a_version_the_python_is_the_one_of_the_program() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert state_of(Image.debian_slim()).base == {"kind": "debianSlim", "pythonVersion": version}


def test_the_secret_of_a_base_is_named_by_it_and_its_values_are_with_the_others() -> None:
    values = {"REGISTRY_USERNAME": "me", "REGISTRY_PASSWORD": "p", "MORE": "x"}
    state = state_of(Image.from_registry("ghcr.io/a/b:1", secret=Secret.from_dict(values)))
    assert inline_values(state.secrets) == values
    assert base_values(state) == {"REGISTRY_USERNAME": "me", "REGISTRY_PASSWORD": "p"}
    assert base_values(state_of(Image.from_registry("x", Secret.from_name("registry")))) == {}


def test_the_first_forced_layer_is_remembered_counted_with_the_base_as_0() -> None:
    image = IMAGE.apt_install("git").apt_install("curl", force_build=True).pip_install("numpy", force_build=True)
    assert state_of(image).forced_from == 2
    assert state_of(IMAGE.apt_install("git", force_build=False)).forced_from is None


def test_a_secret_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2-and-more")
    for secret in (Secret.from_dict({"A": "hunter2-and-more"}), Secret.from_env(["TOKEN"])):
        assert "hunter2" not in f"{secret} {secret!r} {IMAGE.run_commands('x', secrets=[secret])!r}"
        with pytest.raises(TypeError, match="its values stay where they are"):
            pickle.dumps(secret)
    monkeypatch.delenv("TOKEN")
    with pytest.raises(LaminaError) as caught:
        Secret.from_env(["TOKEN"])
    assert caught.value.code == "SECRET_MISSING"


def test_a_path_may_be_an_object(place: Place) -> None:
    place.write({"a": "a"})
    image = IMAGE.copy_local_file(place.directory / "a", "/a")
    assert snapshot_of(state_of(image)).trees


def test_a_relative_path_starts_at_the_working_directory_of_the_call(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write({"config/a": "a"})
    monkeypatch.chdir(place.directory)
    image = IMAGE.copy_local_dir("./config")
    monkeypatch.chdir("/")
    [tree] = snapshot_of(state_of(image)).trees.values()
    assert [entry["path"] for entry in tree.tree.entries] == ["a"]


_A_FEW: Any = ["six", "numpy"]
_NO_STRING: Any = 3


def _generates() -> Any:
    yield 1


async def _generates_later() -> Any:
    yield 1


class _Made: ...


_CIRCLE: list[Any] = []
_CIRCLE.append({"list": _CIRCLE})

_FAULTS: list[tuple[str, Callable[[], object]]] = [
    ('debian_slim: python_version: must be a major and minor version such as "3.12"', lambda: Image.debian_slim("3.11.2")),
    ("from_registry: secret: must be a Secret", lambda: Image.from_registry("x", secret=_NO_STRING)),
    ("from_registry: the instructions: must not be empty", lambda: Image.from_registry("x", setup_dockerfile_commands=[])),
    ('run_commands: gpu: must be like "T4"', lambda: IMAGE.run_commands("true", gpu="T4:two")),
    ("run_commands: gpu: must be a string", lambda: IMAGE.run_commands("true", gpu=_NO_STRING)),
    ("run_function: _generates is a generator, and nobody would ask it for values", lambda: IMAGE.run_function(_generates)),
    ("run_function: _generates_later is a generator", lambda: IMAGE.run_function(_generates_later)),
    ("run_function: _Made is a class: give a function", lambda: IMAGE.run_function(_Made)),
    ("run_function: args.2: must be what JSON can say", lambda: IMAGE.run_function("a.py:b", args=["a", object()])),
    ("run_function: args.1: must be what JSON can say", lambda: IMAGE.run_function("a.py:b", args=[_CIRCLE])),
    ("pip_install: give at least one package", lambda: IMAGE.pip_install()),
    ("apt_install: package 2: is empty", lambda: IMAGE.apt_install("git", " ")),
    ("pip_install: package 1: must be a string", lambda: IMAGE.pip_install(_NO_STRING, "x")),
    ("pip_install: give each package as an argument of its own, not in a list: pip_install(*list)", lambda: IMAGE.pip_install(_A_FEW)),
    ("run_commands: secrets.1: must be a Secret", lambda: IMAGE.run_commands("true", secrets=_A_FEW)),
    ("env: A: must be a string", lambda: IMAGE.env(A=_NO_STRING)),
    ("env: there is no variable", lambda: IMAGE.env()),
    ("holds a NUL", lambda: IMAGE.run_commands("echo \0")),
    ("holds a NUL or half a character", lambda: IMAGE.run_commands("echo \ud800")),
    ("copy_local_file: the local path: holds a NUL", lambda: IMAGE.copy_local_file("a\0b", "/a")),
    ("workdir: the path in the image: is empty", lambda: IMAGE.workdir("")),
    ("copy_local_dir: condition: must be a function", lambda: IMAGE.copy_local_dir("a", condition=_NO_STRING)),
    ('ignore: "[a" is no pattern: a [ has no ]', lambda: IMAGE.copy_local_dir("a", ignore=["*.log", "[a"])),
    ("poetry_install_from_file: extras.2: is not a name", lambda: IMAGE.poetry_install_from_file("p", extras=["a", "b c"])),
    ("dockerfile_commands: the instructions: must be a list", lambda: IMAGE.dockerfile_commands("RUN true")),
    ("lies outside the working directory", lambda: IMAGE.copy_local_file("../x")),
    (
        "workdir: the image has 121 layers of files, and no more than 120 fit (each step but env makes one, and in dockerfile_commands",
        lambda: _many(121),
    ),
    ("more than 4194304 bytes: put long texts", lambda: IMAGE.run_commands("x" * 4 * 1024 * 1024)),
    ("env: A has 131075 bytes", lambda: IMAGE.env(A="x" * (128 * 1024))),
    ("secrets of this image give A different values", lambda: _two_values()),
    ("Secret.from_dict: give at least one variable", lambda: Secret.from_dict({})),
    ('"ftp://***@r.example/simple" is not the URL', lambda: IMAGE.pip_install("six", index_url="ftp://me:pw@r.example/simple")),
    ('"git+https://" is not a requirement such as "numpy>=1.26": the URL ends', lambda: IMAGE.pip_install("git+https://")),
    ("Secret.from_dict: A: it has no value", lambda: Secret.from_dict({"A": ""})),
    ('"TEAM/app" is not an image reference', lambda: Image.from_registry("TEAM/app")),
    ('debian_slim: python_version: must be a major and minor version such as "3.12"', lambda: Image.debian_slim("3.07")),
    ("Secret.from_dict: A: a value must be a string", lambda: Secret.from_dict({"A": _NO_STRING})),
    ("Secret.from_dict: A-B: a variable's name is", lambda: Secret.from_dict({"A-B": "1"})),
    ("Secret.from_env: give at least one variable name", lambda: Secret.from_env([])),
    ("Secret.from_env: give a list", lambda: Secret.from_env("HOME")),
    ("Secret.from_name: a secret's name is", lambda: Secret.from_name("")),
    ('"--frobnicate" is no flag of pip or of uv', lambda: IMAGE.pip_install("--frobnicate")),
    (r'the remote path "/srv\n" holds a control character', lambda: IMAGE.workdir("/srv\n")),
    (r'the remote path "/a\n" holds a control character', lambda: IMAGE.copy_local_file("a", "/a\n")),
    ("App: give the app a name", lambda: App(" ")),
]


def _many(count: int) -> Image:
    image = IMAGE
    for _ in range(count):
        image = image.workdir("/x")
    return image


def test_what_makes_no_layer_of_files_is_not_counted_as_one() -> None:
    image = _many(120).workdir("/").workdir("/.")
    for _ in range(121):
        image = image.dockerfile_commands(["ENV A=b"])
    assert len(state_of(image).steps) == 243


def test_thousands_of_steps_are_as_quick_to_add_as_a_few() -> None:
    image = IMAGE
    for number in range(3_000):
        image = image.env(**{f"A{number}": "x"})
    assert len(state_of(image).steps) == 3_000


def _two_values() -> Image:
    one, other = Secret.from_dict({"A": "1"}), Secret.from_dict({"A": "2"})
    return IMAGE.run_commands("true", secrets=[one]).run_commands("true", secrets=[other])


@pytest.mark.parametrize(("message", "call"), _FAULTS)
def test_what_cannot_be_right_is_an_error_at_the_call(message: str, call: Callable[[], object]) -> None:
    with pytest.raises(LaminaError) as caught:
        call()
    assert caught.value.code == "INVALID_INPUT"
    assert message in caught.value.message
    assert caught.value.source is not None
    assert caught.value.source.file == __file__
    assert f"{__file__}:{caught.value.source.line}" in str(caught.value)


def test_the_value_of_a_secret_in_place_of_its_name_is_refused_and_not_shown() -> None:
    secret = Secret.from_dict({"TOKEN": "ghp_0123"})
    with pytest.raises(LaminaError, match=r"write \$\{TOKEN\} for the step to read; in an f-string that is \$\{\{TOKEN\}\}") as caught:
        IMAGE.run_commands("echo ghp_0123", secrets=[secret])
    assert "ghp_" not in str(caught.value)


def test_an_error_can_go_to_another_process() -> None:
    with pytest.raises(LaminaError) as caught:
        IMAGE.workdir("")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, again.message, again.source) == (caught.value.code, caught.value.message, caught.value.source)


@pytest.mark.parametrize("answer", [None, 1, "yes"])
def test_a_condition_has_to_say_true_or_false(place: Place, answer: Any) -> None:
    place.write({"a": "a"})
    image = IMAGE.copy_local_dir(place.directory, "/x", condition=lambda _: answer)
    with pytest.raises(LaminaError, match="must give True or False"):
        snapshot_of(state_of(image))


def test_a_condition_gets_paths_with_the_given_directory_in_front(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write({"src/a": "a", "src/b/c": "c"})
    (place.directory / "src/empty").mkdir()
    monkeypatch.chdir(place.directory)
    asked: list[str] = []

    def condition(path: str) -> bool:
        asked.append(path)
        return True

    snapshot_of(state_of(IMAGE.copy_local_dir("src/", "/x", condition=condition)))
    assert sorted(asked) == ["src/a", "src/b/c", "src/empty"]


def test_a_condition_that_fails_is_an_error_at_the_users_line(place: Place) -> None:
    place.write({"a": "a"})

    def condition(path: str) -> bool:
        raise RuntimeError("no such list")

    with pytest.raises(LaminaError) as caught:
        snapshot_of(state_of(IMAGE.copy_local_dir(place.directory, "/x", condition=condition)))
    assert caught.value.message == f'copy_local_dir: the condition failed for "{place.path("a")}": no such list'
    assert caught.value.source is not None


@pytest.mark.parametrize("change", ["more", "gone", "link"])
def test_a_file_that_changes_while_it_is_read_is_an_error_at_the_users_line(place: Place, change: str) -> None:
    place.write({"src/a": "a"})
    file = place.directory / "src/a"

    def condition(path: str) -> bool:
        if change == "more":
            file.write_text("ab")
            return True
        file.unlink()
        if change == "link":
            file.symlink_to("/etc/passwd")
        return True

    with pytest.raises(LaminaError) as caught:
        snapshot_of(state_of(IMAGE.copy_local_dir(place.directory / "src", "/x", condition=condition)))
    expected = f'copy_local_dir: "{file}" changed while it was read; try again when nothing writes to it'
    assert (caught.value.code, caught.value.message) == ("INVALID_INPUT", expected)
    assert caught.value.source is not None


def test_a_file_that_changed_a_moment_ago_is_read_again(place: Place) -> None:
    place.write({"src/a": "a", "src/b": "b"})
    state = state_of(IMAGE.copy_local_dir(place.directory / "src", "/x"))

    def new() -> set[str]:
        [one] = (snapshot := snapshot_of(state)).trees.values()
        snapshot.remember()
        return {os.path.basename(file.path) for file in one.tree.files.values() if file.is_new}

    assert new() == {"a", "b"}
    # Both were changed a moment ago by the change time, which nothing sets back.
    assert new() == {"a", "b"}
