"""The queue as people see it: who waits, in which order and for what, and who works on it."""
