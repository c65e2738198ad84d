"""Finds what cannot be built in a definition before any work is done for it.

The platform checks everything once more, and the instructions of Dockerfiles alone, whose grammar is not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ._apt_arguments import package_names_fault
from ._definition import (
    AddPythonPackages,
    BaseOperation,
    BuilderVersion,
    LocalPackage,
    StepOperation,
    builder_version,
    builder_version_names,
    run_fields_of,
)
from ._errors import LaminaError, SourceLocation
from ._persistent_map import PersistentMap
from ._pip_arguments import pip_fault
from ._python_package import module_name_problem, source_project, wheel_name, wheel_problem
from ._text import quoted, trim

METHODS = {
    "pipInstall": "pip_install",
    "aptInstall": "apt_install",
    "runCommands": "run_commands",
    "addPythonPackages": "add_python_packages",
    "poetryInstallFromFile": "poetry_install_from_file",
    "dockerfileCommands": "dockerfile_commands",
    "runFunction": "run_function",
    "copyLocalFile": "copy_local_file",
    "copyLocalDir": "copy_local_dir",
    "env": "env",
    "workdir": "workdir",
}
"""The method of Image that makes a step, by the step's kind."""


@dataclass(frozen=True)
class Checked:
    """What the check of a definition has found out so far, for the step after. A step is checked once, however many follow."""

    version: BuilderVersion
    base: BaseOperation
    is_empty: bool
    """Whether the image is without a file for certain, so without a shell."""
    size: int = 0
    """Of the steps, as JSON."""
    layers: int = 0
    """Of files, but for those of instructions, which only the platform can count."""
    environment: int = 0
    variables: PersistentMap[int] = field(default_factory=PersistentMap)
    """The size of each variable that the steps set."""


def check_beginning(version_name: str, base: BaseOperation, source: SourceLocation | None) -> Checked:
    """Raise INVALID_INPUT or UNKNOWN_BUILDER_VERSION, with `source`, for what cannot be right."""
    version = builder_version(version_name)
    if version is None:
        known = ", ".join(builder_version_names())
        raise LaminaError("UNKNOWN_BUILDER_VERSION", f'there is no builder version "{version_name}"; known are {known}', source=source)
    _refuse(_base_fault(base), source)
    return Checked(version, base, is_empty=base["kind"] == "fromRegistry" and base["reference"] == "scratch")


def check_step(before: Checked, step: StepOperation, source: SourceLocation | None) -> Checked:
    """Check one more step. Raise INVALID_INPUT, with `source`, for what cannot be right."""
    checked = _after_step(before, step)
    fault = (
        _size_fault(checked)
        or _environment_fault(checked, step)
        or _step_fault(step)
        or _python_fault(step, before.base, before.version)
        or (_NO_SHELL if before.is_empty and step["kind"] in _RUN_BY_A_SHELL else None)
        or _layer_count_fault(checked)
    )
    _refuse(fault and f"{METHODS[step['kind']]}: {fault}", source)
    return checked


def _refuse(fault: str | None, source: SourceLocation | None) -> None:
    if fault is not None:
        # Nothing stands before the host of a URL: messages are kept, and shown to others.
        raise LaminaError("INVALID_INPUT", re.sub(r'://[^/"]*@', "://***@", fault), source=source)


def _after_step(before: Checked, step: StepOperation) -> Checked:
    size = before.size + len(json.dumps(step, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if step["kind"] == "env":
        sizes = {name: entry_bytes(name, value) for name, value in step["variables"].items()}
        added = sum(own - (before.variables.get(name) or 0) for name, own in sizes.items())
        variables = before.variables.adding(sizes.items())
        return replace(before, size=size, environment=before.environment + added, variables=variables)
    is_file_layer = step["kind"] != "dockerfileCommands" and not (step["kind"] == "workdir" and step["path"] == "/")
    is_empty = before.is_empty and step["kind"] == "workdir"
    return replace(before, size=size, layers=before.layers + is_file_layer, is_empty=is_empty)


# Docker mounts no more than 127 layers; the rest is left to the base.
_MOST_LAYERS = 120
# All variables together share, with the arguments, a quarter of the stack: 2 MiB as a rule.
_LARGEST_ENVIRONMENT = 1024 * 1024
# As JSON. What is larger belongs into files.
_LARGEST_DEFINITION = 4 * 1024 * 1024
LONGEST_ENTRY_BYTES = 128 * 1024
"""Linux takes no environment entry (`NAME=value` and its end) of more than that."""
_LONGEST_PATH = 4095
_LONGEST_FILE_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
# A first part without dot and port is of the path, as in `team/app`: only so are capitals in it an error.
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})+(?::[0-9]{{1,5}})?|{_LABEL}:[0-9]{{1,5}}|localhost|\[[0-9a-fA-F:]+\](?::[0-9]{{1,5}})?)"
_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
# By the grammar of the distribution project; digests are SHA-256 alone.
_REFERENCE = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?", re.ASCII)


def entry_bytes(name: str, value: str) -> int:
    """The size of a variable in an environment."""
    return len(name.encode(errors="replace")) + len(value.encode(errors="replace")) + 2


def _base_fault(base: BaseOperation) -> str | None:
    if base["kind"] != "fromRegistry" or _REFERENCE.fullmatch(base["reference"]):
        return None
    example = 'such as "python:3.12-slim" or "registry.example/team/app@sha256:…"'
    return f"from_registry: {quoted(base['reference'])} is not an image reference {example}"


_NO_SHELL = (
    'the image has no /bin/sh, which it needs to run commands: "scratch" has no file, and nothing before brings one.'
    " Start from a base that has a shell"
)
_RUN_BY_A_SHELL = frozenset("runCommands aptInstall pipInstall addPythonPackages poetryInstallFromFile runFunction".split())


def _size_fault(checked: Checked) -> str | None:
    if checked.size <= _LARGEST_DEFINITION:
        return None
    return f"the definition has more than {_LARGEST_DEFINITION} bytes: put long texts into files and copy them"


def _environment_fault(checked: Checked, step: StepOperation) -> str | None:
    if step["kind"] != "env":
        return None
    for name in step["variables"]:
        size = checked.variables.get(name) or 0
        if size > LONGEST_ENTRY_BYTES:
            return f"{name} has {size} bytes; Linux takes {LONGEST_ENTRY_BYTES}: put it into a file"
    if checked.environment <= _LARGEST_ENVIRONMENT:
        return None
    return f"all variables together have {checked.environment} bytes; {_LARGEST_ENVIRONMENT} is the most"


def _layer_count_fault(checked: Checked) -> str | None:
    if checked.layers <= _MOST_LAYERS:
        return None
    counted = "each step but env makes one, and in dockerfile_commands each RUN, COPY, ADD and WORKDIR"
    advice = "give several commands to one run_commands, several packages to one install, or copy one directory instead of its files"
    return f"the image has {checked.layers} layers of files, and no more than {_MOST_LAYERS} fit ({counted}): {advice}"


def _step_fault(step: StepOperation) -> str | None:
    secrets = run_fields_of(step).get("secrets", [])
    variables = [variable for secret in secrets if secret["kind"] == "inline" for variable in secret["variables"]]
    is_complete = all(secret["kind"] == "inline" for secret in secrets)
    return (
        _path_fault(step)
        or _text_fault(step)
        or _kind_fault(step, variables, is_complete)
        or _reserved_fault(variables, _RESERVED_FOR_SECRETS)
    )


def _text_fault(step: StepOperation) -> str | None:
    wrong = next((text for text in texts_in(step) if "\0" in text or not _is_well_formed(text)), None)
    return None if wrong is None else f"{json.dumps(wrong)} holds a NUL or half a character"


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def texts_in(value: object) -> Iterable[str]:
    """All strings in a JSON value but its keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from texts_in(member)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)


def _kind_fault(step: StepOperation, variables: Sequence[str], is_complete: bool) -> str | None:
    if step["kind"] == "pipInstall":
        return _empty_fault(step["arguments"]) or pip_fault(step, variables, complete=is_complete)
    if step["kind"] == "aptInstall":
        return _empty_fault(step["arguments"]) or package_names_fault(step["arguments"])
    if step["kind"] == "env":
        return _reserved_fault(step["variables"], _RESERVED) if step["variables"] else "there is no variable"
    return None


def _empty_fault(arguments: Sequence[str]) -> str | None:
    if not arguments:
        return "there is no package to install"
    empty = next((number for number, argument in enumerate(arguments, 1) if trim(argument) == ""), None)
    return None if empty is None else f"argument {empty} is empty"


_RESERVED = re.compile(r"LAMINA_NL|LAMINA_SECRET_\d+|lamina_\w+", re.ASCII)
# A step could not be run or searched with one of these, or would not see it.
_RESERVED_FOR_SECRETS = re.compile(
    r"PATH|IFS|BASH_ENV|BASHOPTS|SHELLOPTS|POSIXLY_CORRECT|TRACEPARENT|OTEL_TRACES_EXPORTER"
    r"|OTEL_EXPORTER_OTLP_TRACES_(?:ENDPOINT|PROTOCOL)|(?i:LAMINA|LD)_\w*",
    re.ASCII,
)


def _reserved_fault(names: Iterable[str], reserved_names: re.Pattern[str]) -> str | None:
    reserved = next((name for name in names if reserved_names.fullmatch(name)), None)
    return None if reserved is None else f"{reserved} is used by the platform while it builds: choose another name"


def _path_fault(step: StepOperation) -> str | None:
    if step["kind"] == "copyLocalFile" or step["kind"] == "copyLocalDir":
        return _remote_path_fault(step["destination"])
    return _remote_path_fault(step["path"]) if step["kind"] == "workdir" else None


def _remote_path_fault(path: str) -> str | None:
    parts = path.split("/")
    sizes = [len(part.encode(errors="replace")) for part in parts]
    if "\0" in path:
        fault = "holds a NUL, which no path can"
    elif path.startswith("~"):
        fault = "begins with ~, which has no meaning in an image: write the directory out"
    elif ".." in parts:
        fault = "holds .., which a link in the image could lead anywhere: write the path without it"
    elif any(part.startswith(".wh.") for part in parts):
        fault = "has a name that begins with .wh., which marks a deleted file in an image"
    elif len(path.encode(errors="replace")) > _LONGEST_PATH or max(sizes) > _LONGEST_FILE_NAME:
        fault = "is longer than a file system takes"
    elif _CONTROL.search(path):
        fault = "holds a control character, such as a newline, that hardly belongs to it: take it out"
    else:
        return None
    return f"the remote path {quoted(path)} {fault}"


def _python_fault(step: StepOperation, base: BaseOperation, version: BuilderVersion) -> str | None:
    debian_python = int(base["pythonVersion"].split(".")[1]) if base["kind"] == "debianSlim" else None
    if step["kind"] == "addPythonPackages":
        found = (_package_fault(package, debian_python) for package in step["packages"])
        return next((fault for fault in found if fault is not None), None) or _twice_fault(step)
    if step["kind"] == "poetryInstallFromFile":
        oldest = version.oldest_python_of_poetry
        if debian_python is not None and debian_python < oldest:
            return f"Poetry {version.poetry} needs Python 3.{oldest} or newer, and the image has 3.{debian_python}"
    return None


def _package_fault(package: LocalPackage, debian_python: int | None) -> str | None:
    kind, name = package["kind"], package["name"]
    if name in ("", ".", "..") or "/" in name:
        return f"{quoted(name)} is no name of a file or directory"
    if kind == "wheel":
        wheel = wheel_name(name)
        if wheel is None:
            return f'"{name}" is no name of a wheel: it is like project-1.0-py3-none-any.whl, and says what the wheel is for'
        problem = wheel_problem(wheel, debian_python)
        return None if problem is None else f'"{name}" {problem}'
    if kind == "sdist" and source_project(name) is None:
        return f'"{name}" is no name of a source distribution: it is like project-1.0.tar.gz'
    return module_name_problem(name) if kind == "module" else None


def _twice_fault(step: AddPythonPackages) -> str | None:
    seen: dict[str, str] = {}
    for package in step["packages"]:
        project = _project_of(package)
        if project is None:
            continue
        if project in seen:
            return f'"{seen[project]}" and "{package["name"]}" are the same package: give one of them'
        seen[project] = package["name"]
    return None


def _project_of(package: LocalPackage) -> str | None:
    """What the name tells; a project says its own name while it is built."""
    name = package["name"]
    if package["kind"] == "wheel":
        wheel = wheel_name(name)
        return None if wheel is None else wheel.project
    if package["kind"] == "sdist":
        return source_project(name)
    return name if package["kind"] == "module" else None
