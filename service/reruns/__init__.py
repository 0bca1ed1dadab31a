"""Training a stored point again, to see whether it comes out exactly the same."""
