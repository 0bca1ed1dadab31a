"""Batches: many jobs from one template, submitted whole or not at all."""
