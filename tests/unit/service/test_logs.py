"""Logs: JSON lines away from a terminal, readable ones on it, from our own code and from libraries alike."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from service import logs


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def broken() -> None:
    """Raises, with a local variable that no log should show."""
    hidden = "password"
    raise RuntimeError("broken" + hidden[:0])


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level


def test_writes_one_json_object_per_line() -> None:
    stream = io.StringIO()
    logs.configure(stream)
    structlog.get_logger("bitfront.test").info("request", path="/livez", seconds=0.5)
    logging.getLogger("library").warning("careful %s", "now")
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["path"], ours["level"], ours["logger"]) == (
        "request",
        "/livez",
        "info",
        "bitfront.test",
    )
    assert (theirs["event"], theirs["level"]) == ("careful now", "warning")


def test_an_exception_stays_on_its_line() -> None:
    stream = io.StringIO()
    logs.configure(stream)
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("bitfront.test").exception("unexpected")
    (line,) = stream.getvalue().splitlines()
    assert "RuntimeError: broken" in json.loads(line)["exception"]


def test_a_terminal_gets_readable_lines_without_local_variables() -> None:
    stream = Terminal()
    logs.configure(stream)
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("bitfront.test").exception("unexpected")
    assert "unexpected" in stream.getvalue()
    assert "RuntimeError: broken" in stream.getvalue()
    assert not any(line.startswith("{") for line in stream.getvalue().splitlines())
    assert "hidden = 'password'" not in stream.getvalue()


def test_chatty_libraries_speak_up_for_warnings_only() -> None:
    stream = io.StringIO()
    logs.configure(stream)
    logging.getLogger("alembic.runtime").info("upgrading")
    assert stream.getvalue() == ""
