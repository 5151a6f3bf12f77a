"""Low-rank algebra, and adapters on disk and in a model."""
