"""Calls a Python function for the runner. PROTOCOL.md says how the two talk.

Whatever is not needed by every function is imported where it is: a container is started for a call that waits.
The files beside this one are such parts of it.
"""

import json
import os
import sys

CODE = "/lamina/code"
RUN = "/lamina/run"
JSON_VALUE = "application/vnd.lamina.value+json"
PICKLE_VALUE = "application/x-python-pickle"
# Bytes that the runner takes as one value.
LARGEST_VALUE = 2**30

LARGEST_SAFE = 2**53 - 1


def part(name):
    """A file beside this one, which the user's code does not see."""
    import importlib.util

    if name not in _parts:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        specification = importlib.util.spec_from_file_location("lamina_" + name, path)
        _parts[name] = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(_parts[name])
    return _parts[name]


_parts = {}


class Unreadable(Exception):
    """A value that cannot be read or written."""


# Values in JSON; the notation is that of packages/api/src/values.ts.


def read_json(text):
    return _read(json.loads(text))


def _read(value):
    kind = type(value)
    if kind is list:
        return [_read(item) for item in value]
    if kind is not dict:
        return value
    tag = value.get("$lamina")
    if tag is None and "$lamina" not in value:
        return {key: _read(item) for key, item in value.items()}
    if len(value) == 2 and "value" in value:
        content = value["value"]
        if tag == "object" and type(content) is dict:
            return {key: _read(item) for key, item in content.items()}
        if type(content) is str:
            if tag == "bytes":
                import base64

                return base64.b64decode(content, validate=True)
            if tag == "date":
                import datetime

                return datetime.datetime.fromisoformat(_date_for_old_pythons(content))
            if tag == "bigint":
                return int(content)
            if tag == "number" and content in ("NaN", "Infinity", "-Infinity", "-0"):
                return float(content)
    raise Unreadable("it has a tag that is not known here: " + json.dumps(value)[:100])


def _date_for_old_pythons(text):
    """As every Python reads it: without Z, and with a fraction of six digits."""
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    point = text.find(".")
    if point == -1:
        return text
    end = point + 1
    while end < len(text) and text[end].isdigit():
        end += 1
    return text[: point + 1] + text[point + 1 : end].ljust(6, "0")[:6] + text[end:]


def write_json(value, what="the result"):
    try:
        plain = _write(value, what)
    except RecursionError:
        raise Unreadable(what + " holds itself, or is nested too deeply") from None
    try:
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Halves of surrogate pairs.
        return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()


def _write(value, path):
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, int):
        number = int(value)
        return number if -LARGEST_SAFE <= number <= LARGEST_SAFE else {"$lamina": "bigint", "value": str(number)}
    if isinstance(value, float):
        return _write_float(float(value))
    if isinstance(value, (list, tuple)):
        return [_write(item, "%s[%d]" % (path, index)) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _write_dict(value, path)
    if isinstance(value, (bytes, bytearray, memoryview)):
        import base64

        return {"$lamina": "bytes", "value": base64.b64encode(value).decode()}
    import datetime

    if isinstance(value, datetime.datetime):
        if value.utcoffset() is None:
            raise Unreadable(path + " is a datetime without a time zone, which says no moment")
        return {"$lamina": "date", "value": value.isoformat()}
    raise Unreadable("%s is of the type %s, which JSON has no notation for" % (path, type_name(type(value))))


def _write_float(value):
    if value != value:
        return {"$lamina": "number", "value": "NaN"}
    if value in (float("inf"), float("-inf")):
        return {"$lamina": "number", "value": "Infinity" if value > 0 else "-Infinity"}
    if value == 0 and str(value) == "-0.0":
        return {"$lamina": "number", "value": "-0"}
    return value


def _write_dict(value, path):
    written = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise Unreadable("%s has the key %.100r, which is of the type %s; keys are strings" % (path, key, type_name(type(key))))
        written[key] = _write(item, "%s.%s" % (path, key) if key.isidentifier() else "%s[%s]" % (path, json.dumps(key)))
    return {"$lamina": "object", "value": written} if "$lamina" in written else written


def type_name(kind):
    return kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def read_value(value_type, body):
    try:
        if value_type == PICKLE_VALUE:
            import pickle

            return pickle.loads(body)
        return read_json(body)
    except Exception as error:
        raise Unreadable("The input cannot be read: %s" % _reason(error)) from error


def write_value(value_type, value):
    _refuse_generator(value)
    try:
        if value_type == PICKLE_VALUE:
            import pickle

            body = pickle.dumps(value, protocol=4)
        else:
            body = write_json(value)
    except Exception as error:
        raise Unreadable("The result cannot be written: %s" % _reason(error)) from error
    if len(body) > LARGEST_VALUE:
        raise Unreadable("The result has %d bytes, and may have %d." % (len(body), LARGEST_VALUE))
    return body


def _reason(error):
    return str(error) if isinstance(error, Unreadable) else "%s: %s" % (type_name(type(error)), error)


def _refuse_generator(value):
    if hasattr(value, "__next__") and hasattr(value, "gi_frame") or hasattr(value, "ag_frame"):
        raise Unreadable("The function returned a generator, of which nothing would arrive. Return a list of what it yields.")


def described(error):
    return part("python_errors").describe(error, type_name)


# The connection.


class Connection:
    def __init__(self, path):
        import _socket
        import _thread

        def connected():
            one = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            one.connect(path)
            return one.detach()

        self.descriptor, self._answers = connected(), connected()
        self._received = bytearray()
        self._lock = _thread.allocate_lock()

    def send(self, frame, body=None):
        if body is not None:
            frame["body"] = len(body)
        data = json.dumps(frame).encode() + b"\n"
        if body is not None:
            data += body
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[os.write(self._answers, view) :]

    def receive(self):
        """The next frame and its body; None when the runner is gone."""
        while True:
            frame = self.buffered()
            if frame is not None:
                return frame
            if not self.read_more():
                return None

    def read_more(self):
        data = os.read(self.descriptor, 256 * 1024)
        self._received += data
        return len(data) > 0

    def buffered(self):
        end = self._received.find(b"\n")
        if end == -1:
            return None
        frame = json.loads(bytes(self._received[:end]))
        length = frame.get("body", 0)
        if len(self._received) < end + 1 + length:
            return None
        body = bytes(self._received[end + 1 : end + 1 + length])
        del self._received[: end + 1 + length]
        return frame, body


# The user's code.


class Target:
    """What is called: a function, or the methods of an object that is set up once."""

    def __init__(self, entry, methods):
        import importlib

        sys.path[0] = CODE
        # What the image has in its working directory; after everything else, since nobody chose the names there for that.
        sys.path.append(os.getcwd())
        module = importlib.import_module(entry["module"])
        found = module
        for name in entry["name"].split("."):
            found = getattr(found, name)
        self._object = None
        self._exit = []
        if methods is None:
            self._functions = {None: getattr(found, "__lamina_handler__", found)}
            return
        cls = getattr(found, "__lamina_class__", found)
        self._object = cls()
        self._enter = self._marked(found, cls, "__lamina_enter__")
        self._exit = self._marked(found, cls, "__lamina_exit__")
        self._functions = {name: self._method(cls, name) for name in methods}

    def _method(self, cls, name):
        method = getattr(self._object, name)
        handler = getattr(method, "__lamina_handler__", None)
        return method if handler is None else handler.__get__(self._object, cls)

    def _marked(self, found, cls, mark):
        names = found.__dict__.get(mark) if hasattr(found, "__dict__") else None
        if names is None:
            names = getattr(cls, mark, None)
        if names is None:
            names = []
            for base in reversed(cls.__mro__):
                names += [name for name, member in vars(base).items() if getattr(member, mark, False) and name not in names]
        return [self._method(cls, name) for name in names]

    def enter(self, finish):
        if self._object is not None:
            for method in self._enter:
                finish(method())

    def exit(self, finish):
        for method in self._exit:
            finish(method())

    def function(self, method):
        return self._functions[method]

    def is_async(self):
        if any(_is_async(function) for function in self._functions.values()):
            return True
        return self._object is not None and any(_is_async(function) for function in self._enter + self._exit)


def _is_async(function):
    while hasattr(function, "func") or hasattr(function, "__func__"):
        function = getattr(function, "__func__", None) or function.func
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(getattr(type(function), "__call__", None), "__code__", None)
    coroutine = 0x80
    return code is not None and bool(code.co_flags & coroutine)


def arguments(value_type, body):
    given = read_value(value_type, body)
    try:
        return list(given.get("args", ())), dict(given.get("kwargs", {}))
    except AttributeError:
        raise Unreadable("The input is no arguments: it has neither args nor kwargs.") from None


# Output.


class Pipes:
    """Our standard output and error; markers go past whatever the user's code does with those."""

    def __init__(self):
        self._own = []
        for number, name in ((1, "stdout"), (2, "stderr")):
            opened = os.open(RUN + "/" + name, os.O_WRONLY)
            os.dup2(opened, number)
            self._own.append(opened)
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")

    def end_call(self, frame):
        """Ends what belongs to a call. Gives what its answer is to say of that."""
        flush()
        if frame.get("alone") and self._are_empty():
            return {"marked": False}
        self.mark(frame["call"])
        return {}

    def mark(self, call):
        line = b"\0" + call.encode() + b"\n"
        for descriptor in self._own:
            view = memoryview(line)
            while view:
                view = view[os.write(descriptor, view) :]

    def _are_empty(self):
        import fcntl

        # FIONREAD, which tells how much is in a pipe at either end.
        return all(fcntl.ioctl(descriptor, 0x541B, b"\0\0\0\0") == b"\0\0\0\0" for descriptor in self._own)


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # The user's code has closed it, or put something else there.


# Calls.


class Harness:
    def __init__(self, connection, target, concurrency, output):
        self.connection, self.target, self.concurrency, self.output = connection, target, concurrency, output

    def answer_result(self, frame, result):
        try:
            body = write_value(frame["valueType"], result)
        except Unreadable as error:
            return self.answer_unreadable(frame, error)
        ended = self.output.end_call(frame)
        self.connection.send({"type": "result", "call": frame["call"], "valueType": frame["valueType"], **ended}, body)

    def answer_error(self, frame, error):
        told = {"type": "error", "call": frame["call"], "exception": described(error)}
        body = part("python_errors").pickled(error) if frame["valueType"] == PICKLE_VALUE else None
        if body is not None:
            told["valueType"] = PICKLE_VALUE
        told.update(self.output.end_call(frame))
        self.connection.send(told, body)

    def answer_unreadable(self, frame, error):
        ended = self.output.end_call(frame)
        self.connection.send({"type": "unreadable", "call": frame["call"], "message": str(error), **ended})

    def call(self, frame, body):
        """One call of a function that is not asynchronous, or says so only by what it returns."""
        try:
            args, kwargs = arguments(frame["valueType"], body)
        except Unreadable as error:
            return self.answer_unreadable(frame, error)
        try:
            result = finish(self.target.function(frame.get("method"))(*args, **kwargs))
        except BaseException as error:
            return self.answer_error(frame, error)
        self.answer_result(frame, result)

    def serve_one_by_one(self):
        while True:
            received = self.connection.receive()
            if received is None or received[0]["type"] == "stop":
                return
            if received[0]["type"] == "call":
                self.call(*received)

_loops = []


def finish(result):
    """What came of it, where a function turns out to be asynchronous."""
    if not hasattr(result, "__await__"):
        return result
    import asyncio
    import threading

    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(_awaited(result))
    return main_loop().run_until_complete(_awaited(result))


async def _awaited(result):
    return await result


def main_loop():
    import asyncio

    if not _loops:
        _loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(_loops[0])
    return _loops[0]


def main():
    pipes = Pipes()
    connection = Connection(RUN + "/socket")
    received = connection.receive()
    if received is None:
        return
    hello = received[0]
    concurrency = hello["concurrency"]
    output = pipes if concurrency == 1 else part("python_several").Routed(connection)
    try:
        target = Target(hello["entry"], hello.get("methods"))
        target.enter(finish)
    except BaseException as error:
        flush()
        connection.send({"type": "broken", "exception": described(error)})
        return
    if concurrency == 1:
        pipes.mark("")
    connection.send({"type": "ready"})
    harness = Harness(connection, target, concurrency, output)
    if target.is_async():
        part("python_several").serve_in_loop(harness, main_loop(), arguments, Unreadable, _is_async)
    elif concurrency == 1:
        harness.serve_one_by_one()
    else:
        part("python_several").serve_in_threads(harness)
    try:
        target.exit(finish)
    except BaseException as error:
        sys.stderr.write("The clean-up failed: " + described(error)["stack"].strip() + "\n")
    flush()


def be_first_process():
    """The first process of a container has no default for signals and gets the orphans, so the function runs in its child."""
    child = os.fork()
    if child == 0:
        return
    import _signal

    _signal.signal(_signal.SIGTERM, lambda number, _: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


if __name__ == "__main__":
    if os.getpid() == 1:
        be_first_process()
    main()
