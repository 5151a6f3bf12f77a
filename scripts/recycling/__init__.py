"""Recycling public LoRAs by adaptive merging: the library behind the workflow's scripts."""
