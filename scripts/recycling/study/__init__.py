"""A study: its configuration, and the runs that answer its questions."""
