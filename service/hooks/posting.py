"""Posts a message to an address that was checked, within a time and a size, following nowhere.

The connection is httpcore's, over a network backend of ours: it asks the rules for the addresses of the host,
connects to one of these by number, and bounds every read and write by what is left of the time for all of it.
TLS still names and verifies the host. The body of the answer is not read, its head is at most 100 KiB.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore

from models.errors import BitfrontError
from service.hooks.addresses import AddressRules

SECONDS = 10.0
"""For connecting, sending and the head of the answer together; resolving the name comes before it."""
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (httpcore.TimeoutException, f"no answer within {SECONDS:g} seconds"),
    (httpcore.ConnectError, "no connection"),
    (httpcore.ProtocolError, "the answer is not HTTP"),
    (httpcore.NetworkError, "the connection broke"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a try; `status` is None where no answer came."""

    status: int | None
    reason: str

    @property
    def accepted(self) -> bool:
        """Whether the receiver has taken the message: any status of the 200s."""
        return self.status is not None and 200 <= self.status < 300


def post(
    url: str, body: str, headers: Mapping[str, str], rules: AddressRules, *, seconds: float = SECONDS
) -> Answer:
    """Send a message once; whatever goes wrong is told in the answer."""
    backend = CheckedBackend(rules, url, until=time.monotonic() + seconds)
    own = [("Content-Type", "application/json"), ("User-Agent", "bitfront-webhooks/1")]
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend, max_connections=1) as pool,
            pool.stream("POST", url, headers=[*own, *headers.items()], content=body.encode()) as response,
        ):
            return _answer(int(response.status))
    except BitfrontError as error:
        return Answer(status=None, reason=str(error))
    except OSError as error:  # of the resolver
        return Answer(status=None, reason=f"the host has no address: {error.strerror or error}")
    except Exception as error:
        return Answer(status=None, reason=_reason(error))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The authorities of this machine, or of SSL_CERT_FILE."""
    return ssl.create_default_context()


def _answer(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(status=status, reason="accepted")
    if 300 <= status < 400:
        return Answer(status=status, reason="redirects are not followed")
    return Answer(status=status, reason="refused by the receiver")


def _reason(error: Exception) -> str:
    words = next((words for kind, words in _REASONS if isinstance(error, kind)), type(error).__name__)
    said = str(error)[:200]
    return f"{words} ({said})" if said else words


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses of one URL's host only, until a moment of the monotonic clock."""

    def __init__(self, rules: AddressRules, url: str, *, until: float) -> None:
        self._inner = httpcore.SyncBackend()
        self._rules = rules
        self._url = url
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. Raises ForbiddenAddressError, or as httpcore does."""
        failed: Exception = httpcore.ConnectError("the host has no address")
        for address in self._rules.resolved(self._url):
            try:
                stream = self._inner.connect_tcp(address, port, timeout=left(self._until))
            except httpcore.ConnectError as error:
                failed = error
            else:
                return BoundedStream(stream, self._until)
        raise failed


class BoundedStream(httpcore.NetworkStream):
    """A stream whose every step ends at one moment, however slowly the other side goes on."""

    def __init__(self, inner: httpcore.NetworkStream, until: float) -> None:
        self._inner = inner
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As of the stream inside, within the time that is left."""
        return self._inner.read(max_bytes, timeout=left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As of the stream inside, within the time that is left."""
        self._inner.write(buffer, timeout=left(self._until))

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """TLS over it, bounded likewise."""
        secured = self._inner.start_tls(ssl_context, server_hostname, timeout=left(self._until))
        return BoundedStream(secured, self._until)

    def get_extra_info(self, info: str) -> Any:
        """As of the stream inside."""
        return self._inner.get_extra_info(info)


def left(until: float) -> float:
    """Seconds until a moment. Raises httpcore's ReadTimeout where it is over."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout
    return seconds
