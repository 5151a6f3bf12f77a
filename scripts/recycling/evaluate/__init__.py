"""Evaluation: lm-eval over a model in memory, with records of every example."""
