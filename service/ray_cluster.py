"""The Ray that a dispatcher runs its trials on: one of its own on this machine, or a cluster it joins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import structlog

from models.errors import ClusterUnavailableError
from service.settings import Settings
from workers.cluster import joined_ray, local_ray, require_answer

RETRY_SECONDS = 2.0


@contextmanager
def joined(settings: Settings, stop: threading.Event) -> Iterator[str]:
    """A part in the Ray of the settings for as long as the context lasts; gives its address.

    Waits for a cluster that does not answer or does not take us yet, and meanwhile no job is claimed: they
    stay queued. Returns at once when `stop` is set while waiting. Raises InvalidInputError where the address
    is none or the token of the cluster is not there.
    """
    if settings.ray_address is None:
        with local_ray(settings.ray_token, cpus=settings.cpus) as address:
            yield address
        return
    with ExitStack() as held:
        _join(held, settings, settings.ray_address, stop)
        yield settings.ray_address


def _join(held: ExitStack, settings: Settings, address: str, stop: threading.Event) -> None:
    log = structlog.get_logger("bitfront.dispatcher")
    while not stop.is_set():
        try:
            require_answer(address)  # first of all: a cluster that comes late may bring its token along
            held.enter_context(joined_ray(address, settings.ray_token, node_here=settings.ray_node_here))
        except ClusterUnavailableError as error:
            log.warning("the Ray cluster cannot be reached; jobs stay queued", error=str(error))
            stop.wait(RETRY_SECONDS)
        else:
            return
