"""Event data: published layouts, simulated cameras, binning to frames and the cache of frames."""

from workers.data.events.source import EventSource
from workers.data.events.sources import event_sources

__all__ = ["EventSource", "event_sources"]
