"""What the client asks of a platform, and how often."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lamina._client import Client
from lamina._platform import PlatformAddress


class Platform(ThreadingHTTPServer):
    """Answers each request, but for the second, whose connection it closes."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Platform

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        if len(self.server.asked) == 2:
            self.close_connection = True
            return
        answer = json.dumps({"result": {"data": []}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_request(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""


def test_calls_that_are_started_again_since_no_answer_came_say_so() -> None:
    given = {"app": "shop", "function": "double", "calls": []}

    async def start_twice(url: str) -> None:
        async with Client(PlatformAddress(url=url, token="a-token")) as client:
            await client.start_calls(given)
            await client.start_calls(given)

    with Platform() as platform:
        threading.Thread(target=platform.serve_forever, daemon=True).start()
        asyncio.run(start_twice(f"http://127.0.0.1:{platform.server_port}"))
        platform.shutdown()
    assert platform.asked == [given, given, {**given, "again": True}]
