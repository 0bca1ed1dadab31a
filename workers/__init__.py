"""Data, training and trials; on Ray where there are many of them."""
