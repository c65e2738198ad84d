"""Values on their way: small ones in the call itself, others through the object store."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .._errors import LaminaError
from .codec import ValueProblem, decode_value, encode_value, type_name
from .pickled import dump, load

if TYPE_CHECKING:
    from .._client import Client

JSON_VALUE = "application/vnd.lamina.value+json"
PICKLE_VALUE = "application/x-python-pickle"
_INLINE_BYTES = 64 * 1024

Notation = Literal["json", "pickle"]


async def send_input(client: Client, notation: Notation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """An input as it travels. VALUE_UNREADABLE for an argument that cannot be sent."""
    if notation == "pickle":
        return await _sent(client, PICKLE_VALUE, _pickled({"args": list(args), "kwargs": dict(kwargs)}))
    try:
        text = f'{{"args":{encode_value(list(args), "args")},"kwargs":{encode_value(dict(kwargs), "kwargs")}}}'
    except ValueProblem as error:
        raise _unreadable(f"An argument cannot be sent: {error}.") from error
    return await _sent(client, JSON_VALUE, text.encode())


async def receive_value(client: Client, value: Mapping[str, Any]) -> Any:
    """The value that a call gave. VALUE_UNREADABLE when it cannot be read here, or is not kept any more."""
    kind = value["type"]
    data = await _received(client, value)
    try:
        return load(data) if kind == PICKLE_VALUE else decode_value(data)
    except Exception as error:
        raise _unreadable(f"A result cannot be read: {_reason(error)}.") from error


def _pickled(value: object) -> bytes:
    try:
        return dump(value)
    except Exception as error:
        raise _unreadable(f"An argument cannot be sent: {_reason(error)}.") from error


async def _sent(client: Client, kind: str, data: bytes) -> Mapping[str, Any]:
    if len(data) > _INLINE_BYTES:
        return {"type": kind, **await client.put_value(data)}
    return {"type": kind, "data": base64.b64encode(data).decode() if kind == PICKLE_VALUE else data.decode()}


async def _received(client: Client, value: Mapping[str, Any]) -> bytes:
    if "object" in value:
        return await client.get_value(value["object"])
    data: str = value["data"]
    return base64.b64decode(data) if value["type"] == PICKLE_VALUE else data.encode()


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ValueProblem) else f"{type_name(type(error))}: {error}"


def _unreadable(message: str) -> LaminaError:
    return LaminaError("VALUE_UNREADABLE", message)
