"""Selection of the pool adapters to merge."""
