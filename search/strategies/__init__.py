"""The strategies behind the methods that a job may name, and their registry."""

from search.strategies.registry import Method, make_strategy, methods

__all__ = ["Method", "make_strategy", "methods"]
