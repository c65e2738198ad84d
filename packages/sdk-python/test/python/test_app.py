"""What is said of functions before anything is done: what is wrong with it is refused where it is written."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lamina
from conftest import Place
from lamina import App, Cls, Function, Image, LaminaError
from lamina._cli.arguments import arguments_of
from lamina._cli.load import choose, import_file
from lamina._functions.deploy import codes_of, image_name, secret_values
from lamina.app import state_of_app


def plain(x: int = 1) -> int:
    """Doubles."""
    return x * 2


class Plain:
    def work(self) -> None: ...


class Worker:
    @lamina.method()
    def work(self) -> None: ...


def refused(call: Callable[[], object]) -> LaminaError:
    """The error, whose place is the line in this file where it was called."""
    with pytest.raises(LaminaError) as caught:
        call()
    assert caught.value.code == "INVALID_INPUT"
    assert caught.value.source is not None
    assert caught.value.source.file == __file__
    assert caught.value.source.line == inspect.getsourcelines(call)[1]
    return caught.value


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: App(""), "give the app a name"),
    (lambda: App("a b"), "an app's name is up to 63"),
    (lambda: App("a", image="debian"), "image: must be an Image"),  # type: ignore[arg-type]
    (lambda: App("a").function(gpus="T4")(plain), "there is no option gpus; there are image, name, gpu"),  # type: ignore[call-overload]
    (lambda: App("a").function(gpu="a T4")(plain), "gpu: "),
    (lambda: App("a").function(gpu=["T4", 5])(plain), "gpu: "),  # type: ignore[list-item]
    (lambda: App("a").function(image="debian")(plain), "image: must be an Image"),  # type: ignore[call-overload]
    (lambda: App("a").function(image=Image.debian_slim("3.9"))(plain), "image: has Python 3.9, and what imports lamina needs 3.10"),
    (lambda: App("a", image=Image.debian_slim("3.9")).function(plain), "image: has Python 3.9"),
    (lambda: App("a").function(timeout=-1)(plain), "timeout: must be 0.1 or more"),
    (lambda: App("a").function(timeout="1m")(plain), "timeout: must be a number"),  # type: ignore[call-overload]
    (lambda: App("a").function(memory=1.5)(plain), "memory: must be a whole number"),  # type: ignore[call-overload]
    (lambda: App("a").function(retries=True)(plain), "retries: must be a whole number"),
    (lambda: App("a").function(min_containers=3, max_containers=2)(plain), "min_containers must not be more than max_containers"),
    (lambda: App("a").function(secrets=["TOKEN"])(plain), "secrets.1: must be a Secret"),  # type: ignore[list-item]
    (lambda: App("a").function(name="a b")(plain), "'a b' is no name of a function"),
    (lambda: App("a").function(name="one")(lambda: 1), "a lambda has no name by which a container could find it"),
    (lambda: App("a").function(Plain), "a class has @app.cls()"),
    (lambda: App("a").cls(plain), "a function has @app.function()"),  # type: ignore[call-overload]
    (lambda: App("a").cls(Plain), "Plain has no method to call"),
    (lambda: lamina.method()(Plain), "put @lamina.method() on a method"),
    (lambda: lamina.concurrent(max_inputs=0), "max_inputs: must be 1 or more"),
    (lambda: Function.from_name("a b", "f"), "an app's name"),
    (lambda: Cls.from_name("a", ""), "'' is no name of a function"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=lambda one: one if isinstance(one, str) else "")
def test_what_cannot_be_right_is_refused_where_it_is_written(call: Callable[[], object], words: str) -> None:
    assert words in refused(call).message


def test_a_function_in_a_function_and_a_second_of_a_name_are_refused_where_they_are_written() -> None:
    app = App("a")

    def inner() -> None: ...

    assert "inner is defined in a function" in refused(lambda: app.function()(inner)).message
    app.function()(plain)
    assert "the app has a function plain already" in refused(lambda: app.function()(plain)).message


def test_a_function_of_an_app_is_the_function_still() -> None:
    function = App("a").function(plain)
    assert (function(2), function.local(3), function.name, function.__doc__) == (4, 6, "plain", "Doubles.")
    assert inspect.signature(function) == inspect.signature(plain)


def test_what_is_said_of_the_app_holds_for_its_functions() -> None:
    image = Image.debian_slim(python_version="3.13")
    app = App("a", image=image, secrets=[lamina.Secret.from_dict({"A": "1"})])
    assert app.function(plain).image is image
    [definition] = state_of_app(app).functions
    assert len(definition.secrets) == 1


def test_a_variable_of_secrets_has_one_value_in_an_app() -> None:
    app = App("a")
    one, other = (lamina.Secret.from_dict({"TOKEN": value}) for value in ("1", "2"))
    app.function(name="one", secrets=[one])(plain)
    app.function(name="other", secrets=[other])(plain)
    with pytest.raises(LaminaError) as caught:
        secret_values(state_of_app(app).functions)
    assert caught.value.message == "other: two secrets of this app give TOKEN different values; name their variables apart"
    assert caught.value.source == state_of_app(app).functions[1].source


def test_what_is_imported_of_an_image_counts_for_functions_that_run_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.image.in_container", lambda: True)
    monkeypatch.setattr("lamina._imports._failed", [])
    app, plain_image = App("a"), Image.debian_slim(python_version="3.13")
    image = plain_image.pip_install("six")
    with image.imports():
        raise ModuleNotFoundError("No module named 'six'")
    assert app.function(image=plain_image)(plain).__lamina_handler__ is plain
    for number, of in enumerate((image, image.env(A="1"))):
        with pytest.raises(ModuleNotFoundError, match="six"):
            app.function(image=of, name=f"f{number}")(plain).__lamina_handler__  # noqa: B018 - it is asked for as a container does
    with pytest.raises(ModuleNotFoundError, match="six"):
        app.cls(image=image)(Worker).__lamina_class__  # noqa: B018


def test_options_are_those_of_the_platform_by_their_names() -> None:
    app = App("a")
    retries = lamina.Retries(max_retries=3, initial_delay=0.5)
    app.function(gpu=["T4", "A100:2"], cpu=(0.5, 2), memory=512, timeout=9, retries=retries, min_containers=9, scaledown_window=3)(plain)
    [definition] = state_of_app(app).functions
    assert definition.limits == {
        "gpu": ["T4", "A100:2"],
        "cpu": 2,
        "memoryMib": 512,
        "timeoutSeconds": 9,
        "retries": {"max": 3, "delayMs": 500, "factor": 2, "longestDelayMs": 60_000},
        "minContainers": 9,
        "maxContainers": 9,
        "idleSeconds": 3,
    }


NAMED = """
import lamina
app = lamina.App("named")

@app.function()
def first(a: int, b: str = "b", *, flag: bool = False): ...

@app.cls()
class Model:
    @lamina.method()
    def predict(self, x: float): ...
"""


def test_a_command_names_functions_methods_and_entry_points_of_a_file(place: Place) -> None:
    place.write({"named_app.py": NAMED, "with_entry.py": NAMED + "\n@app.local_entrypoint()\ndef main(n: int): ...\n"})
    file = place.path("named_app.py")
    module = import_file(file)
    chosen = choose(module, file, "first")
    assert chosen.function is not None
    assert chosen.function.name == "first"
    method = choose(module, file, "Model.predict")
    assert method.function is not None
    assert method.function.name == "Model.predict"
    with pytest.raises(LaminaError, match=r"several functions. Name one: .*::first, .*::Model.predict"):
        choose(module, file, None)
    with pytest.raises(LaminaError, match='no function "none"'):
        choose(module, file, "none")
    assert choose(import_file(place.path("with_entry.py")), file, None).entrypoint is not None


def entry(a: int, b: str = "b", *, flag: bool = False, rate: float | None = None, more: Any = None) -> None: ...


@pytest.mark.parametrize(
    ("given", "args", "kwargs"),
    [
        (["7"], [7], {}),
        (["7", "8"], [7, "8"], {}),
        (["--a", "7", "--b=[1]"], [], {"a": 7, "b": "[1]"}),
        (["7", "--flag"], [7], {"flag": True}),
        (["7", "--flag", "no"], [7], {"flag": False}),
        (["7", "--no-flag", "--rate", "0.5"], [7], {"flag": False, "rate": 0.5}),
        (["7", "--more", '{"x": [1, null]}'], [7], {"more": {"x": [1, None]}}),
        (["7", "--more", "words"], [7], {"more": "words"}),
        (["-7"], [-7], {}),
        (['[7, "b"]'], [7, "b"], {}),
    ],
)
def test_arguments_of_a_command_are_what_the_annotations_say(given: list[str], args: list[Any], kwargs: dict[str, Any]) -> None:
    assert arguments_of(entry, given) == (args, kwargs)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["seven"], 'a: "seven" is no whole number'),
        (["7", "--flag=perhaps"], 'flag: "perhaps" is neither true nor false'),
        ([], "missing a required argument: 'a'"),
        (["7", "--none", "1"], "unexpected keyword argument 'none'"),
    ],
)
def test_arguments_that_a_function_does_not_take_are_refused(given: list[str], words: str) -> None:
    with pytest.raises(LaminaError, match=words) as caught:
        arguments_of(entry, given)
    assert caught.value.code == "INVALID_INPUT"


def test_the_code_of_a_function_is_its_modules_neighbours_or_its_package_and_the_sdk(place: Place) -> None:
    function = "import lamina\napp = lamina.App('c')\n@app.function()\ndef f(): ...\n"
    place.write(
        {
            "alone/with_data.py": function,
            "alone/helper.py": "",
            "alone/data.csv": "1",
            "alone/.venv/x.py": "",
            "alone/pack/__init__.py": "",
            "alone/pack/table.csv": "1",
            "alone/company/tools.py": "",
            "alone/company/table.csv": "1",
            "alone/company/team/mail.py": "",
            "alone/company/group/__init__.py": "",
            "alone/company/group/table.csv": "1",
            "alone/company/data/2026/large.py": "",
            "alone/lamina/notes.py": "",
            "alone/rows/2026/large.py": "",
        }
    )
    module = import_file(place.path("alone/with_data.py"))
    [code] = codes_of(state_of_app(module.app).functions, str(place.home))
    assert (code.module.name, code.module.directory) == ("with_data", place.path("alone"))
    paths = {entry["path"] for entry in code.tree.tree.entries}
    assert {"with_data.py", "helper.py", "pack/__init__.py", "pack/table.csv", "lamina/__init__.py"} <= paths
    assert not any(path.startswith((".venv", "rows", "data.csv", "lamina/notes")) for path in paths)
    assert [path for path in sorted(paths) if path.startswith("company")] == [
        "company",
        "company/group",
        "company/group/__init__.py",
        "company/group/table.csv",
        "company/team",
        "company/team/mail.py",
        "company/tools.py",
    ]


PACKAGED = """
import lamina
from .other import WORD
from . import inner
app = lamina.App("packaged")

@app.function()
def word(): return WORD
"""


def test_a_file_in_a_package_is_imported_as_its_module_with_its_package_as_the_code(place: Place) -> None:
    place.write({"outer/__init__.py": "", "outer/shop/__init__.py": "", "outer/shop/app.py": PACKAGED})
    place.write({"outer/shop/other.py": "WORD = 'sold'", "outer/shop/inner/__init__.py": "import lamina\napp = lamina.App('inner')\n"})
    module = import_file(place.path("outer/shop/app.py"))
    assert (module.__name__, module.word.local()) == ("outer.shop.app", "sold")
    [code] = codes_of(state_of_app(module.app).functions, str(place.home))
    assert (code.module.name, code.module.directory) == ("outer.shop.app", str(place.directory))
    assert "outer/shop/other.py" in {entry["path"] for entry in code.tree.tree.entries}
    assert import_file(place.path("outer/shop/inner/__init__.py")) is module.inner


def test_a_file_in_a_package_that_python_finds_elsewhere_or_that_fails_is_told_of_by_its_module(place: Place) -> None:
    place.write({"lamina/__init__.py": "", "lamina/app.py": "", "sold/__init__.py": "", "sold/out.py": "\nimport beside_it\n"})
    place.write({"sold/beside_it.py": ""})
    with pytest.raises(LaminaError, match=r"lamina/app\.py is not what `import lamina\.app` finds, which is .*lamina/app\.py") as caught:
        import_file(place.path("lamina/app.py"))
    assert caught.value.code == "INVALID_INPUT"
    with pytest.raises(
        LaminaError, match=r"out\.py cannot be imported as sold\.out: ModuleNotFoundError: No module named 'beside_it'"
    ) as caught:
        import_file(place.path("sold/out.py"))
    assert caught.value.source is not None
    assert caught.value.source.line == 2


@pytest.mark.parametrize(("flags", "shown"), [([], "stderr"), (["--json"], "stdout")])
def test_a_python_without_what_the_sdk_needs_says_so(flags: list[str], shown: str) -> None:
    """Without site-packages nothing but the SDK itself is found."""
    source = Path(lamina.__file__).parents[1]
    command = [sys.executable, "-S", "-m", "lamina._run", "deploy", "a.py", *flags, "--"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(source)})
    assert ran.returncode == 2
    text: str = getattr(ran, shown)
    assert ran.stdout + ran.stderr == text
    assert "lacks httpx and zstandard" in text
    if flags:
        error = json.loads(text)
        assert (error["type"], error["code"]) == ("error", "INVALID_INPUT")


def test_what_a_file_raises_when_it_is_imported_is_told_with_its_place(place: Place) -> None:
    place.write(
        {"broken_app.py": "x = 1\n\nx.y\n", "wrong_syntax.py": "x = (\n", "ending_app.py": "import sys\nsys.exit(0)\n", "two.dots.py": ""}
    )
    with pytest.raises(LaminaError, match=r"broken_app\.py cannot be imported: AttributeError") as caught:
        import_file(place.path("broken_app.py"))
    assert caught.value.source is not None
    assert (Path(caught.value.source.file).name, caught.value.source.line) == ("broken_app.py", 3)
    with pytest.raises(LaminaError, match=r"wrong_syntax\.py cannot be imported: SyntaxError"):
        import_file(place.path("wrong_syntax.py"))
    with pytest.raises(LaminaError, match=r"ending_app\.py cannot be imported: SystemExit: 0") as caught:
        import_file(place.path("ending_app.py"))
    assert caught.value.code == "INVALID_INPUT"
    assert caught.value.reason == "failing-file"
    assert caught.value.source is not None
    assert caught.value.source.line == 2
    with pytest.raises(LaminaError, match="without further dots"):
        import_file(place.path("two.dots.py"))
    with pytest.raises(LaminaError, match="is not a file"):
        import_file(place.path("none.py"))


def test_an_image_is_called_by_all_functions_that_run_in_it() -> None:
    names = ["double", "greet", "boom"]
    assert [image_name(names[: count + 1]) for count in range(3)] == ["double", "double and greet", "double and 2 more"]
