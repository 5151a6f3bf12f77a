"""Finished results, addressed by what they were computed from."""
