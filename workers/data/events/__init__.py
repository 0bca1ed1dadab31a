"""Event data: published layouts, simulated cameras, binning to frames and the cache of frames."""
