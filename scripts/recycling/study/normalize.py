"""When two runs are the same."""

from dataclasses import replace

from recycling.study.run import Run


def normalize(run: Run) -> Run:
    """The run with one value in each field that makes no difference.

    Two runs are the same computation if and only if they are equal once normalized:
    - without LoRA and merge (zero-shot), only the method and the task count;
    - the target LoRA alone (K = 1) has no pool, and nothing to skip or to re-initialise;
    - without the target LoRA, re-initialising the others is re-initialising all.
    """
    if not run.k and run.target == "without":
        return Run(run.method, run.task, 0)
    if run.n_pool == 0:
        return replace(run, pool="", selection="", skip=0, reinit="none")
    if run.target == "without" and run.reinit == "others":
        return replace(run, reinit="all")
    return run
