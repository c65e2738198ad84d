"""Values as pickles, in which classes of a script are named by the module that the script is elsewhere."""

from __future__ import annotations

import io
import pickle
import pkgutil
from types import FunctionType
from typing import Any

from .._code.module import main_name

# Every Python that functions run in reads it.
_PROTOCOL = 4


def dump(value: object) -> bytes:
    """The pickle of a value. Raises whatever pickling it raises."""
    stream = io.BytesIO()
    _Pickler(stream, protocol=_PROTOCOL).dump(value)
    return stream.getvalue()


def load(data: bytes) -> Any:
    """The value of a pickle. Raises whatever making it again raises."""
    return _Unpickler(io.BytesIO(data)).load()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """What is defined in a script, by its name elsewhere."""
        if isinstance(value, (type, FunctionType)) and value.__module__ == "__main__" and "<locals>" not in value.__qualname__:
            name = main_name()
            if name is not None:
                return (pkgutil.resolve_name, (f"{name}:{value.__qualname__}",))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a container knows by the name of its module is here in the script that runs."""
        if module == main_name():
            module = "__main__"
        return super().find_class(module, name)
