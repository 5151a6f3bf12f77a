"""Figures: one function in one module each, all in the style of `recycling.plots.style`."""
