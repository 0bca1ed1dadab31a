"""The event data sets that a job may name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workers.data.events.cifar10_dvs import CIFAR10_DVS
from workers.data.events.dvs_gesture import DVS_GESTURE
from workers.data.events.nmnist import N_MNIST
from workers.data.events.shd import SHD
from workers.data.events.source import EventSource, PublishedEvents
from workers.data.events.synthetic import SimulatedEvents
from workers.data.images import DatasetSource

PUBLISHED = (N_MNIST, DVS_GESTURE, CIFAR10_DVS, SHD)
FILMED = ("digits", "fashion-mnist")
"""The still data sets that have an event version."""


def event_sources(data_folder: Path, still: Mapping[str, DatasetSource]) -> dict[str, EventSource]:
    """By name: the published sets, and the event versions of some of the still ones."""
    published: dict[str, EventSource] = {
        layout.name: PublishedEvents.under(data_folder, layout) for layout in PUBLISHED
    }
    filmed: dict[str, EventSource] = {
        f"event-{name}": SimulatedEvents(name=f"event-{name}", still=still[name], data_folder=data_folder)
        for name in FILMED
    }
    return published | filmed
