"""Evaluation: lm-eval on a model in memory, with a record of every example."""
