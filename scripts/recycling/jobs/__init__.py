"""Computing the runs of a batch: one model load, one finished result a run."""
