"""The difference of two points: bits of each layer, measures and costs."""
