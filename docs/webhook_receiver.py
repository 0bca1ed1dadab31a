"""Receives Bitfront's webhooks and believes only what is signed: python webhook_receiver.py 8000

Needs `pip install standardwebhooks`, and the secret in the environment variable WEBHOOK_SECRET.
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

MOST_BYTES = 100_000
seen: set[str] = set()
"""Messages may come twice, under the same id. A receiver that restarts would keep these in its database."""


class Receiver(BaseHTTPRequestHandler):
    """Answers quickly; what takes long belongs into a queue."""

    def do_POST(self) -> None:
        """Check a message, then act on it once."""
        length = int(self.headers.get("content-length", 0))
        if not 0 < length <= MOST_BYTES:
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            message = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self._answer(401)
            return
        if self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            print(message["type"], message["data"], flush=True)
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
