"""The trace of a request: an id that its job, and every log line about it, carries on (W3C Trace Context)."""

from __future__ import annotations

import re
import secrets

TRACEPARENT = re.compile(
    "(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-.*)?"
)


def trace_of(traceparent: str | None) -> str:
    """The trace id in a `traceparent` header, 32 hexadecimal digits; a new one where there is none to use."""
    found = TRACEPARENT.fullmatch(traceparent.strip()) if traceparent else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return new_trace_id()
    if int(found["trace"], 16) == 0 or int(found["span"], 16) == 0:
        return new_trace_id()
    return found["trace"]


def new_trace_id() -> str:
    """A random one."""
    return f"{secrets.randbits(128) or 1:032x}"
