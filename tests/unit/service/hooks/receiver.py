"""A receiver of webhooks that tests can question, on a free port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(kw_only=True)
class Receiver:
    """What came in, and what to answer: `status`, a `location`, or a head that comes a byte at a time."""

    status: int = 204
    location: str | None = None
    drips: bool = False
    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/in"


@contextmanager
def receiver(**fields: object) -> Iterator[Receiver]:
    """A receiver for as long as the context lasts."""
    state = Receiver(**fields)  # type: ignore[arg-type]  # the fields above

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            state.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if state.drips:
                self._drip()
                return
            self.send_response(state.status)
            if state.location:
                self.send_header("Location", state.location)
            self.end_headers()
            if state.status == 200:
                self._flood()

        def _drip(self) -> None:
            try:
                for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 500:
                    self.wfile.write(bytes([letter]))
                    time.sleep(0.05)
            except OSError:
                pass

        def _flood(self) -> None:
            try:
                for _ in range(2_000):
                    self.wfile.write(b"x" * 100_000)
            except OSError:
                state.got.append(({"flood": "cut off"}, b""))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()
