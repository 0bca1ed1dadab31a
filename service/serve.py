"""Runs the service: a database at the newest schema, the web application, and a supervised dispatcher."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import structlog
import uvicorn

from models.errors import InvalidInputError
from service import logs
from service.parent import end_with_parent
from service.settings import Settings, is_loopback
from service.supervisor import dispatcher_of
from workers.cluster import require_token
from workers.places import LocalPlace

if TYPE_CHECKING:
    from service.store import Store

SHUTDOWN_SECONDS = 5


def serve(settings: Settings, *, with_dispatcher: bool) -> None:
    """Serve until SIGTERM or SIGINT. Raises InvalidInputError for an address it cannot use."""
    _end_on_signals()
    _end_with_parent()
    logs.configure()
    _require_key(settings)
    if with_dispatcher and settings.ray_address is not None:
        require_token(settings.ray_token)
    listener = bind(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    with listener, _dispatcher(settings, wanted=with_dispatcher):
        _serve_http(settings, listener)


def bind(settings: Settings) -> socket.socket:
    """The socket that is listened on, bound before anything else starts: a taken port is told at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        _cannot_listen(settings, error)
    return listener


class Server(uvicorn.Server):
    """A uvicorn server that tells long polls and event streams to end when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        super().__init__(config)
        self.stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called on SIGTERM and SIGINT."""
        self.stopping.set()
        super().handle_exit(sig, frame)


def server_of(settings: Settings, app: object, stopping: threading.Event) -> Server:
    """A server for an application, logging through our own log."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn names its own ASGI types, starlette's differ in detail
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return Server(config, stopping)


def _serve_http(settings: Settings, listener: socket.socket) -> None:
    from service.app import create_app  # imports torch: after the port is known to be free
    from service.store import Store

    store = Store.open(settings.database)
    try:
        app = create_app(settings, store)
        structlog.get_logger("bitfront").info("listening", url=settings.url, home=str(settings.home))
        settle()
        with _beside(settings, store):
            server_of(settings, app, app.state.context.stopping).run(sockets=[listener])
    finally:
        store.close()


def settle() -> None:
    """Have the garbage collector pass over what was imported: it stays, and a look at it takes 0.2 s."""
    gc.collect()
    gc.freeze()


@contextmanager
def _beside(settings: Settings, store: Store) -> Iterator[None]:
    """Webhooks are sent to and checkpoints pruned for as long as the context lasts; what is under way at its
    end is ended."""
    from service.hooks.sender import Sender
    from service.retention.pruner import Pruner

    stop = threading.Event()
    works = {
        "sender": Sender(settings, store, stop=stop).work,
        "pruner": Pruner(settings, store, stop=stop).work,
    }
    threads = [threading.Thread(target=work, name=name) for name, work in works.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def _dispatcher(settings: Settings, *, wanted: bool) -> Iterator[None]:
    """A dispatcher for as long as the context lasts, on a database that has the newest schema."""
    prepare(settings)
    supervisor = dispatcher_of(settings)
    if not wanted:
        yield
        return
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()


def prepare(settings: Settings) -> None:
    """Make the folders, and the database or its newest schema."""
    from service.store import Store

    for folder in (settings.home, settings.scratch, settings.data):
        folder.mkdir(parents=True, exist_ok=True)
    if isinstance(place := settings.checkpoint_place, LocalPlace):
        place.folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings.database)
    try:
        store.migrate()
    finally:
        store.close()


def _require_key(settings: Settings) -> None:
    """Raises InvalidInputError where other machines could reach a service that no key opens."""
    from service.store import Store

    if is_loopback(settings.host):
        return
    prepare(settings)
    store = Store.open(settings.database)
    try:
        with store.unit() as unit:
            if unit.keys.any_usable():
                return
    finally:
        store.close()
    raise InvalidInputError(
        f"{settings.host} can be reached from other machines, and the service has no usable key.",
        fix="Make one: bitfront keys create --scope submit --expires 90d; or listen on 127.0.0.1.",
    )


def _end_on_signals() -> None:
    """Before and after the server, which has its own handlers, a signal ends the process in order."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)  # one is enough; the rest of the way is the same
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def _end_with_parent() -> None:
    """Where a parent asked for it, its death ends the service as SIGTERM would."""
    gone = threading.Event()
    end_with_parent(gone)

    def end() -> None:
        gone.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end, name="parent-end", daemon=True).start()


def _cannot_listen(settings: Settings, error: OSError) -> NoReturn:
    place = f"port {settings.port} of {settings.host}"
    if error.errno == errno.EADDRINUSE:
        raise InvalidInputError(
            f"{place} is taken.", fix="Choose another with --port, or end what listens there."
        )
    raise InvalidInputError(
        f"{place} cannot be listened on: {error.strerror}.", fix="Choose another with --port."
    )
