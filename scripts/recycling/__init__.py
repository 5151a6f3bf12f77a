"""Adaptive merging of public LoRAs: the library behind the workflow's scripts."""
