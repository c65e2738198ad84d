"""Calls that go on at once, in threads or in an event loop; see python.py. Apart from it, since most functions need none of this, and compiling it takes time."""

import asyncio
import contextvars
import io
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor


class Router(io.TextIOBase):
    """Tells which call wrote a line, where several go on at once."""

    def __init__(self, name, stream, current, send):
        self._name, self._stream, self._current, self._send = name, stream, current, send
        self._started = {}

    def write(self, text):
        call = self._current.get(None)
        if call is None:
            return self._stream.write(text)
        *lines, rest = (self._started.pop(call, "") + text).split("\n")
        if rest:
            self._started[call] = rest
        self._tell(call, lines)
        return len(text)

    def end_call(self, call):
        rest = self._started.pop(call, "")
        self._tell(call, [rest] if rest else [])

    def _tell(self, call, lines):
        if lines:
            self._send({"type": "log", "call": call, "stream": self._name, "lines": lines})

    def flush(self):
        self._stream.flush()

    def writable(self):
        return True

    def isatty(self):
        return False

    def fileno(self):
        return self._stream.fileno()

    @property
    def encoding(self):
        return self._stream.encoding

    @property
    def errors(self):
        return self._stream.errors

    def __getattr__(self, name):
        """What else a program looks for in its output, such as `buffer` and `reconfigure`."""
        return getattr(self._stream, name)


class Routed:
    """Both streams of calls that go on at once."""

    def __init__(self, connection):
        self.current = contextvars.ContextVar("lamina.call")
        self._routers = [Router(name, getattr(sys, name), self.current, connection.send) for name in ("stdout", "stderr")]
        sys.stdout, sys.stderr = self._routers

    def end_call(self, frame):
        for router in self._routers:
            router.end_call(frame["call"])
        return {}


def serve_in_threads(harness):
    waiting = queue.SimpleQueue()

    def work():
        while True:
            received = waiting.get()
            if received is None:
                return
            context = contextvars.copy_context()
            context.run(harness.output.current.set, received[0]["call"])
            context.run(harness.call, *received)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(harness.concurrency)]
    for thread in threads:
        thread.start()
    while True:
        received = harness.connection.receive()
        if received is None:
            return
        if received[0]["type"] == "stop":
            break
        if received[0]["type"] == "call":
            waiting.put(received)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()


def serve_in_loop(harness, loop, arguments, unreadable, is_async):
    running, waiting = {}, []
    executor = ThreadPoolExecutor(harness.concurrency)
    stopped = loop.create_future()

    async def run(frame, body):
        try:
            args, kwargs = arguments(frame["valueType"], body)
        except unreadable as error:
            return harness.answer_unreadable(frame, error)
        function = harness.target.function(frame.get("method"))
        try:
            if harness.concurrency == 1 or is_async(function):
                result = function(*args, **kwargs)
            else:
                context = contextvars.copy_context()
                result = await loop.run_in_executor(executor, lambda: context.run(function, *args, **kwargs))
            if hasattr(result, "__await__"):
                result = await result
        except BaseException as error:
            return harness.answer_error(frame, error)
        harness.answer_result(frame, result)

    def begin():
        while waiting and len(running) < harness.concurrency:
            frame, body = waiting.pop(0)
            call = frame["call"]
            if harness.concurrency > 1:
                context = contextvars.copy_context()
                context.run(harness.output.current.set, call)
                task = context.run(loop.create_task, run(frame, body))
            else:
                task = loop.create_task(run(frame, body))
            running[call] = task
            task.add_done_callback(lambda done, call=call: ended(call))

    def ended(call):
        running.pop(call, None)
        begin()

    def readable():
        if not harness.connection.read_more():
            return stop()
        received = harness.connection.buffered()
        while received is not None:
            frame = received[0]
            if frame["type"] == "call":
                waiting.append(received)
                begin()
            elif frame["type"] == "cancel":
                cancel(frame["call"])
            elif frame["type"] == "stop":
                stop()
            received = harness.connection.buffered()

    def cancel(call):
        if call in running:
            running[call].cancel()
        for received in [received for received in waiting if received[0]["call"] == call]:
            waiting.remove(received)
            harness.answer_error(received[0], asyncio.CancelledError())

    def stop():
        loop.remove_reader(harness.connection.descriptor)
        if not stopped.done():
            stopped.set_result(None)

    async def serve():
        loop.add_reader(harness.connection.descriptor, readable)
        await stopped
        while running:
            await asyncio.gather(*running.values(), return_exceptions=True)

    loop.run_until_complete(serve())
