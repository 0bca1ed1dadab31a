"""Logs of the service: readable lines on a terminal, one JSON object per line elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from service.keys import masked


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send our own records and those of libraries to one stream (standard error unless told) in one form."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,  # the request or the job that a line is about
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(stream)],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    _quieten()


def _rendering(stream: TextIO) -> list[Processor]:
    if stream.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback), _mask]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(), _mask]


def _mask(logger: Any, method: str, line: Any) -> str:
    """The last step: wherever a key came from (a path, an exception), its secret does not reach a log."""
    return masked(str(line))


def _quieten() -> None:
    """Libraries that tell of every request or migration speak up for warnings only."""
    for name in ("uvicorn", "httpx", "httpcore", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
