"""What the methods of an image take, and the checks that need nothing but the arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ._definition import GPU, VARIABLE_NAME, RunFields
from ._errors import LaminaError, SourceLocation, invalid_input
from ._local.ignore import ignore_fault
from ._local.problem import LocalPath
from ._python_package import normal_package_name
from ._text import normal_path, quoted, trim
from .secret import Secret, reference_to

Condition = Callable[[str], bool]
"""Says whether a local file is copied; it gets the file's path with the given directory in front."""
AnyPath = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Call:
    """The method that was called, and where."""

    method: str
    source: SourceLocation | None

    def refuse(self, message: str) -> LaminaError:
        """The error that an argument cannot be right."""
        return invalid_input(f"{self.method}: {message}", self.source)

    def filled(self, value: object, what: str) -> str:
        """A string that holds more than white space."""
        if not isinstance(value, str):
            raise self.refuse(f"{what}: must be a string")
        if trim(value) == "":
            raise self.refuse(f"{what}: is empty")
        return value

    def strings(self, values: Sequence[object], what: str) -> list[str]:
        """The strings of a call, at least one."""
        if any(isinstance(value, (list, tuple)) for value in values):
            raise self.refuse(f"give each {what} as an argument of its own, not in a list: {self.method}(*list)")
        if not values:
            raise self.refuse(f"give at least one {what}")
        return [self.filled(value, f"{what} {number}") for number, value in enumerate(values, 1)]

    def flag(self, value: object, what: str) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            raise self.refuse(f"{what}: must be True or False")
        return value

    def one_or_more(self, values: object, what: str) -> list[str]:
        """One value or several, as a list; none for None."""
        if values is None:
            return []
        if isinstance(values, str):
            return [self.filled(values, what)]
        if isinstance(values, (list, tuple)):
            return [self.filled(value, f"{what}.{number}") for number, value in enumerate(values, 1)]
        raise self.refuse(f"{what}: must be a string or a list of strings")

    def secrets(self, secrets: object) -> list[Secret]:
        """The secrets of a step."""
        if secrets is None:
            return []
        if not isinstance(secrets, (list, tuple)):
            raise self.refuse("secrets: must be a list of secrets")
        return [self.secret(secret, f"secrets.{number}") for number, secret in enumerate(secrets, 1)]

    def secret(self, secret: object, what: str) -> Secret:
        """One secret."""
        if not isinstance(secret, Secret):
            raise self.refuse(f"{what}: must be a Secret")
        return secret

    def run_fields(self, gpu: object, secrets: Sequence[Secret]) -> RunFields:
        """What the definition says of a step that runs something."""
        fields: RunFields = {}
        if gpu is not None:
            if not isinstance(gpu, str):
                raise self.refuse("gpu: must be a string")
            if not GPU.fullmatch(gpu):
                raise self.refuse('gpu: must be like "T4", "A100:2", "A100-80GB" or "any"')
            fields["gpu"] = gpu
        if secrets:
            fields["secrets"] = [reference_to(secret) for secret in secrets]
        return fields

    def python_version(self, version: object) -> str:
        """A major and a minor version."""
        if not isinstance(version, str):
            raise self.refuse('python_version: must be a string such as "3.12"')
        if not re.fullmatch(r"3\.(?:\d|[1-9]\d)", version, re.ASCII):
            raise self.refuse('python_version: must be a major and minor version such as "3.12"')
        return version

    def names(self, names: object, what: str) -> list[str]:
        """Names of extras or groups, in their normal form and sorted."""
        if names is None:
            return []
        if not isinstance(names, (list, tuple)):
            raise self.refuse(f"{what}: must be a list of names")
        for number, name in enumerate(names, 1):
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", name, re.ASCII):
                raise self.refuse(f"{what}.{number}: is not a name: letters, digits, '-', '_' and '.'")
        return sorted({normal_package_name(name) for name in names})

    def instructions(self, commands: object) -> list[str]:
        """Instructions of a Dockerfile, one or several in each string."""
        if not isinstance(commands, (list, tuple)):
            raise self.refuse("the instructions: must be a list of strings")
        if not commands:
            raise self.refuse("the instructions: must not be empty")
        return [self.filled(command, f"the instructions: {number}") for number, command in enumerate(commands, 1)]

    def variables(self, variables: Mapping[str, Any]) -> dict[str, str]:
        """Environment variables."""
        for name, value in variables.items():
            if not VARIABLE_NAME.fullmatch(name):
                raise self.refuse(f"{name}: a variable's name is letters, digits and _, and does not begin with a digit")
            if not isinstance(value, str):
                raise self.refuse(f"{name}: must be a string")
        return dict(variables)

    def local_path(self, value: object, what: str = "the local path") -> LocalPath:
        """A local path as it was given, and the same from the root."""
        given = self.filled(os.fspath(value) if isinstance(value, os.PathLike) else value, what)
        if "\0" in given:
            raise self.refuse(f"{what}: holds a NUL, which no path can")
        return LocalPath(given, os.path.abspath(given))

    def context_files(self, files: object) -> list[tuple[str, LocalPath]]:
        """What is in a context: each path there with the local path."""
        if not isinstance(files, Mapping):
            raise self.refuse("context_files: must be a dict of paths in the context and local paths")
        return [(self._context_path(place), self.local_path(given)) for place, given in files.items()]

    def _context_path(self, value: object) -> str:
        text = value if isinstance(value, str) else ""
        path = normal_path(text).rstrip("/")
        is_outside = text.startswith("/") or path == ".." or path.startswith("../") or text == "" or "\0" in text
        if not is_outside and not any(part.startswith(".wh.") for part in path.split("/")):
            return path
        rule = "which is relative, leads nowhere else and has no name that begins with .wh."
        raise self.refuse(f'context_files: "{value}" is no path in the context, {rule}')

    def remote_path(self, value: object) -> str:
        """A path in the image, in its normal form; one with a part `..`, which has none, stays as it is and is refused later."""
        path = self.filled(value, "the path in the image")
        return path if ".." in path.split("/") else normal_path(path)

    def destination(self, given: str, remote: object) -> str:
        """Where local files go in the image: without a remote path, a relative local path keeps itself."""
        if remote is not None:
            return self.remote_path(remote)
        if given.startswith("~"):
            raise self.refuse(f'the local path "{given}" begins with ~, which only a shell replaces: write it in full')
        normal = normal_path(given)
        if normal.startswith(("/", "../")) or normal == "..":
            where = "say where it goes in the image, as the second argument"
            raise self.refuse(f'"{given}" lies outside the working directory; {where}')
        return normal

    def ignore(self, patterns: object) -> list[str]:
        """Patterns as lines of a .dockerignore."""
        lines = self.one_or_more(patterns, "ignore")
        for line in lines:
            fault = ignore_fault(line)
            if fault is not None:
                raise self.refuse(f"ignore: {quoted(line)} is no pattern: {fault}")
        return lines

    def condition(self, condition: Any) -> Condition | None:
        """A function, or None."""
        if condition is not None and not callable(condition):
            raise self.refuse("condition: must be a function")
        asked: Condition | None = condition
        return asked


def flags(name: str, values: Iterable[str]) -> list[str]:
    """A flag in front of each value."""
    return [part for value in values for part in (name, value)]
