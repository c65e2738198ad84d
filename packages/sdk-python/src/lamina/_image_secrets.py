"""The secrets that an image's steps use, as far as they concern each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Literal

from ._arguments import Call
from ._check import texts_in
from ._definition import REGISTRY_VARIABLES, SecretReference, secrets_of
from ._errors import LaminaError
from ._image_state import ImageState, Step
from .secret import Secret, content_of, reference_to

# Shorter ones are in many words.
_SHORTEST_VALUE = 8


def with_secrets(before: Sequence[Secret], added: Sequence[Secret], call: Call, *, of: Literal["image", "app"]) -> tuple[Secret, ...]:
    """Add secrets to those of earlier steps or functions. INVALID_INPUT when a variable would have two values in the whole."""
    secrets = tuple({id(secret): secret for secret in (*before, *added)}.values())
    values: dict[str, str] = {}
    for name, value in _values_of(secrets):
        if values.setdefault(name, value) != value:
            raise call.refuse(f"two secrets of this {of} give {name} different values; name their variables apart")
    return secrets


def refuse_values_in(step: Step, secrets: Sequence[Secret], call: Call) -> None:
    """Refuse a value where its name was meant: the image would keep it, and everybody see it."""
    texts = list(_texts_of(step))
    for name, value in _values_of(secrets):
        if len(value) >= _SHORTEST_VALUE and any(value in text for text in texts):
            advice = f"write ${{{name}}} for the step to read; in an f-string that is ${{{{{name}}}}}"
            raise call.refuse(f"the value of the secret {name} is in what is to be built, where it would stay: {advice}")


def registry_secret(secret: Secret, call: Call) -> SecretReference:
    """How a definition names the secret of a base. SECRET_MISSING when it is seen not to bring what a registry asks for."""
    reference = reference_to(secret)
    if reference["kind"] == "named":
        return reference
    missing = [variable for variable in REGISTRY_VARIABLES if variable not in reference["variables"]]
    if not missing:
        return {"kind": "inline", "variables": sorted(REGISTRY_VARIABLES)}
    message = f"{call.method}: the secret has no {' and '.join(missing)}; it has to bring {' and '.join(REGISTRY_VARIABLES)}"
    raise LaminaError("SECRET_MISSING", message, source=call.source)


def base_values(state: ImageState) -> dict[str, str]:
    """Of the values of secrets that are given inline, those that resolving the base needs."""
    names = {name for secret in secrets_of(state.base) if secret["kind"] == "inline" for name in secret["variables"]}
    return {name: value for name, value in _values_of(state.secrets) if name in names}


def inline_values(secrets: Iterable[Secret]) -> dict[str, str]:
    """The values of the secrets that are given inline, by variable name."""
    return dict(_values_of(secrets))


def _values_of(secrets: Iterable[Secret]) -> list[tuple[str, str]]:
    contents: list[Mapping[str, str]] = [content_of(secret).values for secret in secrets]
    return [entry for values in contents for entry in values.items()]


def _texts_of(value: object) -> Iterable[str]:
    if not is_dataclass(value):
        yield from texts_in(value)
        return
    for field in fields(value):
        member = getattr(value, field.name)
        for one in member if isinstance(member, tuple) else (member,):
            yield from _texts_of(one)
