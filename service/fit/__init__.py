"""Which stored point of a job keeps several limits at once, and what to search next where none does."""
