"""Ablations: what the API answers about them, and how the results of their jobs become a table."""
