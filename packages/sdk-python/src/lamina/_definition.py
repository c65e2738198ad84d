"""The definition of an image, as it is sent: a base and steps, one step a method call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, TypeVar, cast

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""The name of an environment variable that a shell can expand."""
SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""The name under which a workspace keeps a secret."""
GPU = re.compile(r"any|[A-Za-z][A-Za-z0-9-]*(:[1-9][0-9]*)?")
"""What a step may ask for as its GPU."""
REGISTRY_VARIABLES = ("REGISTRY_USERNAME", "REGISTRY_PASSWORD")
"""The variables that the secret of a base in a private registry has to bring."""


class InlineSecret(TypedDict):
    """A secret whose values travel beside the request to build."""

    kind: Literal["inline"]
    variables: list[str]


class NamedSecret(TypedDict):
    """A secret that the platform keeps under a name."""

    kind: Literal["named"]
    name: str


SecretReference = InlineSecret | NamedSecret


class RunFields(TypedDict, total=False):
    """What the definition says of any step that runs something."""

    gpu: str
    secrets: list[SecretReference]


class _PipInstall(TypedDict):
    kind: Literal["pipInstall"]
    arguments: list[str]


class PipInstall(_PipInstall, RunFields, total=False):
    """Requirements and flags, in the order in which they were given."""

    findLinks: str
    indexUrl: str
    extraIndexUrl: str
    pre: Literal[True]


class _RunCommands(TypedDict):
    kind: Literal["runCommands"]
    commands: list[str]


class RunCommands(_RunCommands, RunFields):
    """Commands of one shell."""


class _AptInstall(TypedDict):
    kind: Literal["aptInstall"]
    arguments: list[str]


class AptInstall(_AptInstall, RunFields):
    """Debian packages and flags of apt."""


class CopyLocalFile(TypedDict):
    """A tree with one entry, and where it goes."""

    kind: Literal["copyLocalFile"]
    tree: str
    destination: str


class CopyLocalDir(TypedDict):
    """A tree, and where its content goes."""

    kind: Literal["copyLocalDir"]
    tree: str
    destination: str


PackageKind = Literal["wheel", "sdist", "project", "module"]


class LocalPackage(TypedDict):
    """A package in a tree; package n, counted from 1, is in it as `n/<name>`."""

    kind: PackageKind
    name: str


class _AddPythonPackages(TypedDict):
    kind: Literal["addPythonPackages"]
    tree: str
    packages: list[LocalPackage]


class AddPythonPackages(_AddPythonPackages, RunFields):
    """Local Python packages."""


class _PoetryInstallFromFile(TypedDict):
    kind: Literal["poetryInstallFromFile"]
    tree: str


class PoetryInstallFromFile(_PoetryInstallFromFile, RunFields, total=False):
    """A tree with `pyproject.toml`, and `poetry.lock` where what it locks is installed; names in their normal form, sorted."""

    extras: list[str]
    groups: list[str]


class _DockerfileCommands(TypedDict):
    kind: Literal["dockerfileCommands"]
    commands: list[str]


class DockerfileCommands(_DockerfileCommands, RunFields, total=False):
    """Instructions, and the context that COPY and bind mounts find."""

    tree: str


class _RunFunction(TypedDict):
    kind: Literal["runFunction"]
    language: Literal["python"]
    name: str
    source: str


class RunFunction(_RunFunction, RunFields, total=False):
    """A function that runs while building, by the source of a module that defines it."""

    args: list[Any]
    kwargs: dict[str, Any]


class Env(TypedDict):
    """Environment variables."""

    kind: Literal["env"]
    variables: dict[str, str]


class Workdir(TypedDict):
    """The working directory."""

    kind: Literal["workdir"]
    path: str


StepOperation = (
    PipInstall
    | RunCommands
    | AptInstall
    | CopyLocalFile
    | CopyLocalDir
    | AddPythonPackages
    | PoetryInstallFromFile
    | DockerfileCommands
    | RunFunction
    | Env
    | Workdir
)


class DebianSlim(TypedDict):
    """Debian with a Python, such as "3.12"."""

    kind: Literal["debianSlim"]
    pythonVersion: str


class _FromRegistry(TypedDict):
    kind: Literal["fromRegistry"]
    reference: str


class FromRegistry(_FromRegistry, total=False):
    """An image of a registry; its secret brings the credentials."""

    secret: SecretReference


BaseOperation = DebianSlim | FromRegistry


class Definition(TypedDict):
    """An image as its author wrote it. Without a platform the server fills in the one that its builders make."""

    builderVersion: str
    base: BaseOperation
    steps: list[StepOperation]


@dataclass(frozen=True)
class BuilderVersion:
    """What a definition pins beside its operations, as far as it is checked here."""

    name: str
    poetry: str
    oldest_python_of_poetry: int


_VERSIONS = (BuilderVersion("2026.11", poetry="2.5.1", oldest_python_of_poetry=10),)

DEFAULT_BUILDER_VERSION = "2026.11"
"""The version that the SDK writes when none is asked for."""


def builder_version(name: str) -> BuilderVersion | None:
    """The builder version of that name, or None when this release does not know it."""
    return next((version for version in _VERSIONS if version.name == name), None)


def builder_version_names() -> list[str]:
    """The names of all builder versions, the oldest first."""
    return [version.name for version in _VERSIONS]


def secrets_of(operation: StepOperation | BaseOperation) -> Sequence[SecretReference]:
    """The secrets that an operation uses."""
    if operation["kind"] == "fromRegistry":
        return [operation["secret"]] if "secret" in operation else []
    return run_fields_of(operation).get("secrets", [])


Running = TypeVar("Running", PipInstall, DockerfileCommands, PoetryInstallFromFile, RunFunction)


def running(step: Running, run: RunFields) -> Running:
    """The same step, with how it runs. Where a step has further fields that may lack, the type checker takes no other way."""
    return cast(Running, {**step, **run})


def run_fields_of(operation: StepOperation | BaseOperation) -> RunFields:
    """The part of an operation that is about how it runs."""
    fields: RunFields = {}
    if operation["kind"] in ("debianSlim", "fromRegistry", "copyLocalFile", "copyLocalDir", "env", "workdir"):
        return fields
    running: Mapping[str, Any] = operation
    if "gpu" in running:
        fields["gpu"] = running["gpu"]
    if "secrets" in running:
        fields["secrets"] = running["secrets"]
    return fields


def resolve_definition(
    definition: Mapping[str, Any], platform: str, base_digest: str, secrets: Mapping[str, Iterable[str]]
) -> dict[str, Any]:
    """A definition with what the outside decides filled in.

    `secrets` has the variable names of each secret that is referred to by name; KeyError where one lacks.
    """
    return {
        "builderVersion": definition["builderVersion"],
        "platform": platform,
        "base": {"kind": "base", "digest": base_digest},
        "steps": [_resolve_step(step, secrets) for step in definition["steps"]],
    }


def _resolve_step(step: Mapping[str, Any], secrets: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    if "secrets" not in step:
        return dict(step)
    variables = {
        variable
        for reference in step["secrets"]
        for variable in (reference["variables"] if reference["kind"] == "inline" else secrets[reference["name"]])
    }
    return {**step, "secrets": sorted(variables)}
