"""Arguments that are refused in both languages, in the same words."""

from __future__ import annotations

from typing import Any

from conftest import Place
from same_definition import SECRETS, Recipe, assert_same

_REQUIREMENTS = [
    "numpy",
    "numpy>=1,<2",
    "numpy==1.*",
    "a[b,c]~=1.0",
    "a @ https://x/y.whl",
    "a ; python_version < '3'",
    "a; os_name == 'x' and ('y' in extra)",
    "./a",
    "a/b",
    "x.whl",
    "numpy pandas",
    "numpy=1",
    "a==",
    "a[",
    "a;b",
    "-e",
    "--pre",
    "é",
    "a>=1.0.dev1",
    "a!=1!2.0+local",
    "a===x y",
    "a<1.*",
    "a (>=1)",
    "",
]


def test_requirements_are_refused_for_the_same(place: Place) -> None:
    recipes: list[Recipe] = [
        {"base": ["from_registry", ["x"], {}], "steps": [["pip_install", arguments, options]]}
        for arguments, options in [
            *([[requirement], {}] for requirement in _REQUIREMENTS),
            [["-r a"], {}],
            [["-r", "a"], {}],
            [["-i", "nothing", "a"], {}],
            [["--index-url=x", "a"], {}],
            [["a"], {"index_url": "https://x y"}],
            *([["a"], {"index_url": url}] for url in _INDEX_URLS),
            [["a"], {"index_url": "/simple"}],
            [["a"], {"index_url": "https://${TOKEN}@x/simple"}],
            [["a"], {"index_url": "https://${TOKEN}@x/simple", "secrets": SECRETS[:1]}],
            [["--proxy", "${TOKEN}", "a"], {"secrets": SECRETS[:1]}],
            [["--report=${TOKEN}", "a"], {"secrets": SECRETS[:1]}],
            *([flags, {}] for flags in _FLAGS),
        ]
    ]
    assert_same(recipes, place.path("."))


_INDEX_URLS = [
    "https://index.example/simple",
    "HTTPS://[::1]:8080/simple",
    "file:///wheels",
    "https://a:b@x.example/simple?a=b#c",
    "https://x.example/simple x",
    " https://x.example/simple",
    "https://x.example/simple\n",
    "https://x.example/\x01",
    "https://x.example/\u3000",
    "https://",
    "https:///simple",
    "https://x.example:99999/simple",
    "https://x<y/simple",
    "https://[::1/simple",
    "https:\\\\x.example",
    "ftp://x.example/simple",
]


def test_variables_of_secrets_are_refused_for_the_same(place: Place) -> None:
    names = "PATH IFS BASH_ENV BASHOPTS SHELLOPTS POSIXLY_CORRECT LD_PRELOAD ld_x LD_ LAMINA_URL Lamina_X".split()
    names += [
        "TRACEPARENT",
        "OTEL_TRACES_EXPORTER",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "LAMINA_NL",
    ]
    names += ["PATHS", "Path", "MY_PATH", "ENV", "HOME", "LDAP_PASSWORD", "LAMINATE", "OTEL_SERVICE_NAME"]
    recipes: list[Recipe] = [
        {"base": ["from_registry", ["x"], {}], "steps": [["run_commands", ["ls"], {"secrets": [{"values": {name: "a-value"}}]}]]}
        for name in names
    ]
    assert_same(recipes, place.path("."))


def test_layers_of_files_are_counted_the_same(place: Place) -> None:
    steps: list[list[Any]] = [["workdir", ["/x"], {}], ["workdir", ["/"], {}], ["env", [], {"A": "b"}]]
    beginning = [step for _ in range(120) for step in steps]
    recipes: list[Recipe] = [{"base": ["from_registry", ["x"], {}], "steps": [*beginning, *more]} for more in ([], steps[:1], steps[1:])]
    assert_same(recipes, place.path("."))


_FLAGS = [
    *([flag, "a"] for flag in ("--help", "--dry-run", "--check", "--show-settings", "--version", "-h", "-V", "-qh", "-hU", "-Ux")),
    *(["--user", flag, "a"] for flag in ("--dry", "--help", "--he", "--check", "-V", "-IV", "-Ir")),
    ["-r", "--help", "a"],
    ["a", "--", "--help"],
    ["--frobnicate", "a"],
    ["--user", "--frobnicate", "a"],
    ["--user", "--exact", "a"],
    ["--user", "--upgrade-strat", "eager", "a"],
    ["--upgrade-strat", "eager", "a"],
    ["--no-cache-dir", "a b"],
    ["--no-cache-dir", "-qq"],
    ["-Ux", "a"],
    ["-Ur", "b", "a"],
    ["a", "-Ur"],
    ["a", "--proxy"],
    ["a", "--proxy", "--frobnicate"],
    ["-I", "--group=x", "a"],
    ["--keyring-provider", "auto", "--exact", "a"],
    ["--keyring-provider=disabled", "--exact", "a"],
    ["--", "--frobnicate"],
    ["-", "a"],
]
_PACKAGES = [
    ["git"],
    ["Git!"],
    ["--purge"],
    ["-o", "Dpkg::Use-Pty=0 x", "git=1:2.39*"],
    ["-t", "stable"],
    ["libc6:amd64", "vim/stable", "task^", "g++", "vim-"],
    ["./local.deb", "/local.deb"],
    ["~nvim", "?name(vim)", "lib*"],
    ["é"],
    ["git\n"],
    ["git curl"],
    ["git="],
]


def test_debian_packages_are_refused_for_the_same(place: Place) -> None:
    assert_same([{"base": ["from_registry", ["x"], {}], "steps": [["apt_install", names, {}]]} for names in _PACKAGES], place.path("."))
