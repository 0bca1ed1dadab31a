"""The difference of two points: what each layer gets in both, what both cost and reach."""
