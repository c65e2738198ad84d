"""Arguments of a command as those of a function, by its annotations."""

from __future__ import annotations

import inspect
import json
import re
import typing
from collections.abc import Callable, Sequence
from typing import Any

from .._errors import LaminaError
from .._values.codec import ValueProblem, decode_value

_NAME = re.compile(r"--([A-Za-z_]\w*(?:-\w+)*)(?:=(.*))?", re.ASCII | re.DOTALL)
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def arguments_of(function: Callable[..., Any], given: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """`--name value` gives named arguments, other arguments come in order; INVALID_INPUT for those that it does not take.

    Of what is annotated as int, float, bool or str it is that; else each is JSON where it is that, and text where not. A
    single one that is a JSON list has all of them.
    """
    signature = inspect.signature(function)
    kinds = _kinds(function)
    texts: list[str] = []
    named: dict[str, Any] = {}
    rest = list(given)
    while rest:
        one = rest.pop(0)
        found = _NAME.fullmatch(one)
        if found is None:
            texts.append(one)
            continue
        name, joined = found[1].replace("-", "_"), found[2]
        if joined is None and name.startswith("no_") and name not in signature.parameters and name[3:] in signature.parameters:
            named[name[3:]] = False
            continue
        if joined is None and rest and not rest[0].startswith("--") and not (kinds.get(name) is bool and not _is_bool(rest[0])):
            joined = rest.pop(0)
        named[name] = True if joined is None else _value(joined, kinds.get(name), name)
    return _bound(signature, _positional(signature, kinds, texts, named), named)


def _positional(signature: inspect.Signature, kinds: dict[str, Any], texts: Sequence[str], named: dict[str, Any]) -> list[Any]:
    if len(texts) == 1 and not named:
        whole = _plain(texts[0])
        takes_one_text = next(iter(kinds.values()), None) is str
        if isinstance(whole, list) and not takes_one_text:
            return whole
    places = [name for name, one in signature.parameters.items() if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    names = [*places, *[None] * len(texts)]
    return [_value(text, kinds.get(name or ""), name or "an argument") for text, name in zip(texts, names)]


def _bound(signature: inspect.Signature, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise LaminaError("INVALID_INPUT", f"{error}; it takes {signature}") from error
    return args, kwargs


def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    function = inspect.unwrap(function)
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        # Annotations that name what is imported for type checkers alone.
        hints = dict(getattr(function, "__annotations__", {}))
    return {name: _plain_kind(kind) for name, kind in hints.items() if name != "return"}


def _plain_kind(kind: Any) -> Any:
    """`int | None` is read as int."""
    options = [one for one in typing.get_args(kind) if one is not type(None)]
    is_optional = len(options) == 1 and type(None) in typing.get_args(kind)
    kind = options[0] if is_optional else kind
    return {"int": int, "float": float, "bool": bool, "str": str}.get(kind, kind) if isinstance(kind, str) else kind


def _is_bool(text: str) -> bool:
    return text.lower() in (*_TRUE, *_FALSE)


def _value(text: str, kind: Any, name: str) -> Any:
    if kind is str:
        return text
    if kind is bool:
        if not _is_bool(text):
            raise LaminaError("INVALID_INPUT", f'{name}: "{text}" is neither true nor false')
        return text.lower() in _TRUE
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError as error:
            raise LaminaError("INVALID_INPUT", f'{name}: "{text}" is no {"whole number" if kind is int else "number"}') from error
    return _plain(text)


def _plain(text: str) -> Any:
    try:
        json.loads(text)
    except ValueError:
        return text
    try:
        return decode_value(text)
    except ValueProblem as error:
        raise LaminaError("INVALID_INPUT", f"{text}: {error}") from error
