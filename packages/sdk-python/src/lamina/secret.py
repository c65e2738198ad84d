"""Secrets: named values that a step may use and that no image keeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ._check import LONGEST_ENTRY_BYTES, entry_bytes
from ._container import in_container
from ._definition import SECRET_NAME, VARIABLE_NAME, SecretReference
from ._errors import LaminaError, invalid_input
from ._source import call_site


@dataclass(frozen=True)
class SecretContent:
    """Values that are at hand, or the name under which the workspace keeps them."""

    values: Mapping[str, str]
    name: str | None = None


class Secret:
    """Variables that steps of an image see while they run.

    Their names are part of the image's definition; their values are not, and no printing or pickling shows them.
    """

    __slots__ = ("_content",)

    def __init__(self, content: Callable[[], SecretContent]) -> None:
        """Use `Secret.from_dict`, `Secret.from_name` or `Secret.from_env`."""
        # A function, so that nothing that walks over the object finds values.
        self._content = content

    def __repr__(self) -> str:
        """Names alone."""
        content = self._content()
        return f"Secret.from_name({content.name!r})" if content.name is not None else f"<Secret of {', '.join(sorted(content.values))}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Never."""
        raise TypeError("a secret is not pickled: its values stay where they are")

    @staticmethod
    def from_dict(values: Mapping[str, str]) -> Secret:
        """A secret with these values."""
        return _inline(values, "Secret.from_dict")

    @staticmethod
    def from_name(name: str) -> Secret:
        """The secret that the workspace keeps under this name, as `lamina secret set` put it there."""
        rule = "a secret's name is up to 63 letters, digits, '.', '_' and '-', and begins with a letter or digit"
        if not isinstance(name, str) or not SECRET_NAME.fullmatch(name):
            raise invalid_input(f"Secret.from_name: {rule}", call_site())
        content = SecretContent({}, name)
        return Secret(lambda: content)

    @staticmethod
    def from_env(names: Iterable[str]) -> Secret:
        """The values that these environment variables have now; SECRET_MISSING when one is not set, or is empty."""
        if isinstance(names, str):
            raise invalid_input("Secret.from_env: give a list of variable names", call_site())
        values: dict[str, str] = {}
        for name in names:
            _check_name(name, "Secret.from_env")
            # In a container nobody asks for its values; what the function may see is in its environment.
            value = os.environ.get(name)
            if not value and not in_container():
                state = "is not set" if value is None else "is empty"
                message = f"Secret.from_env: the environment variable {name} {state}"
                raise LaminaError("SECRET_MISSING", message, source=call_site())
            values[name] = value or ""
        if not values:
            raise invalid_input("Secret.from_env: give at least one variable name", call_site())
        return _inline(values, "Secret.from_env")

    @staticmethod
    def from_local_environ(env_keys: Iterable[str]) -> Secret:
        """The same as `from_env`."""
        return Secret.from_env(env_keys)


def content_of(secret: Secret) -> SecretContent:
    """What a secret is, for the SDK alone."""
    return secret._content()


def reference_to(secret: Secret) -> SecretReference:
    """How a definition names a secret."""
    content = content_of(secret)
    if content.name is not None:
        return {"kind": "named", "name": content.name}
    return {"kind": "inline", "variables": sorted(content.values)}


def _inline(values: Mapping[str, str], method: str) -> Secret:
    """Messages name variables and never show values."""
    if not isinstance(values, Mapping):
        raise invalid_input(f"{method}: give a dict of variable names and values", call_site())
    if not values:
        raise invalid_input(f"{method}: give at least one variable", call_site())
    for name, value in values.items():
        _check_name(name, method)
        problem = _value_problem(name, value)
        if problem is not None:
            raise invalid_input(f"{method}: {name}: {problem}", call_site())
    content = SecretContent(dict(values))
    return Secret(lambda: content)


def _check_name(name: object, method: str) -> None:
    if isinstance(name, str) and VARIABLE_NAME.fullmatch(name):
        return
    raise invalid_input(f"{method}: {name}: a variable's name is letters, digits and _, and does not begin with a digit", call_site())


def _value_problem(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        return "a value must be a string"
    # In a container nobody asks for values, and there are none.
    if value == "" and not in_container():
        return "it has no value"
    if "\0" in value:
        return "a value holds no NUL"
    return "a name and its value take at most 128 KiB together" if entry_bytes(name, value) > LONGEST_ENTRY_BYTES else None
