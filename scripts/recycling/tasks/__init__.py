"""Tasks: what is asked, where its examples come from, how they are split and shown to a model."""
