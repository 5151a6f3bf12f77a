"""Choosing which adapters of a pool to merge."""
