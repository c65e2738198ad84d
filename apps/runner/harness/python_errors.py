"""How exceptions travel; see python.py. Apart from it, since most calls need none of this, and compiling it takes time."""

import pickle
import traceback

CODE = "/lamina/code/"
HARNESS = __file__[: __file__.rindex("/") + 1]


def describe(error, type_name):
    """An exception as it travels."""
    try:
        message = str(error)
    except Exception as inner:
        message = "(its message cannot be had: %s)" % type_name(type(inner))
    return {"type": type_name(type(error)), "message": message, "stack": _stack(error)}


def _stack(error):
    told = traceback.TracebackException.from_exception(error)
    _clean(told, set())
    return "".join(told.format())


def _clean(told, seen):
    if told is None or id(told) in seen:
        return
    seen.add(id(told))
    told.stack = _users_frames(told.stack)
    for other in (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ())):
        _clean(other, seen)


def _users_frames(frames):
    ours = [index for index, frame in enumerate(frames) if frame.filename.startswith(HARNESS)]
    kept = list(frames)[ours[-1] + 1 if ours else 0 :]
    return traceback.StackSummary.from_list(
        [
            traceback.FrameSummary(_in_code(frame.filename), frame.lineno, frame.name, lookup_line=False, line=frame.line)
            for frame in kept
            if not frame.filename.startswith("<frozen importlib") and not frame.filename.endswith("/importlib/__init__.py")
        ]
    )


def _in_code(path):
    return path[len(CODE) :] if path.startswith(CODE) else path


def pickled(error):
    """The exception itself, where it can be taken along and made again."""
    try:
        data = pickle.dumps(error, protocol=4)
        pickle.loads(data)
        return data
    except Exception:
        return None
