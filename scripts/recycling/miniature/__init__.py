"""A small world in which the whole study runs on a CPU in minutes: language, base, wild adapters."""
