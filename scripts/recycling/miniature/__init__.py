"""A small world in which the study runs on a CPU in minutes: language, base, wild adapters."""
