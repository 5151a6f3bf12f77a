"""Adaptive merging: the layer, the coefficients, one training function, one file per method."""
