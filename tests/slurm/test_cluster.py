"""The study on a real SLURM: the same results as without, despite failures of its jobs."""

import csv
import json
import pathlib
import re
import signal
import subprocess
import sys
from collections import Counter

import yaml
from tests.slurm import cluster
from tests.workflow.conftest import environment

RESULTS = "results/miniature"
MEASURED = ("seconds", "machine", "finished")
TUNING = '    options = parse(Settings, settings, "ours")\n'
GPU_RULES = ("zero_shot", "loras", "merges", "adaptive_merges", "scores")


def table(checkout, name):
    """The rows of a table, without columns that depend on time and machine."""
    with open(checkout.root / RESULTS / name, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [{name: row[name] for name in row if name not in MEASURED} for row in rows]


def test_results_equal_those_of_a_run_without_a_cluster(study, local):
    for name in ("runs.tsv", "pool/candidates.tsv", "pool/pool.tsv", "pool/rejected.tsv"):
        assert table(study.checkout, name) == table(local, name)
    assert study.checkout.planned() == {}


def test_two_gpu_jobs_run_at_a_time_each_with_its_own_gpu(study):
    concurrent = [
        sorted(gpus[job.id] for job in jobs if job.gres != "N/A" and job.id in gpus)
        for jobs, gpus in study.samples
    ]
    assert ["0", "1"] in concurrent
    assert all(gpus in ([], ["0"], ["1"], ["0", "1"]) for gpus in concurrent)


def test_only_stages_that_load_the_base_request_a_gpu(study):
    requests = {
        (job.rule.split("_wildcards_")[0], job.gres) for jobs, _ in study.samples for job in jobs
    }
    gpu_rules = {rule for rule, gres in requests if gres != "N/A"}
    assert gpu_rules == {f"rule_{rule}" for rule in GPU_RULES}
    assert len(requests) > len(GPU_RULES)


def test_rules_that_need_the_internet_are_never_submitted(study):
    submitted = {job.rule.split("_wildcards_")[0] for job in cluster.jobs("all")}
    assert "rule_scores" in submitted
    assert not submitted & {"rule_base", "rule_candidates", "rule_pool", "rule_task"}


def test_no_two_jobs_ever_write_the_same_file(study):
    for jobs, _ in study.samples:
        assert max(Counter(job.rule for job in jobs).values(), default=1) == 1


def test_jobs_load_one_copy_of_the_base_from_the_nodes_disk(study):
    scratch = yaml.safe_load((study.checkout.root / "scratch.yaml").read_text())["base"]["scratch"]
    disk = pathlib.Path(scratch.replace("$SLURM_CLUSTER_NAME", "test"))
    base = json.loads((study.checkout.root / RESULTS / "base.json").read_text())
    (copy,) = [folder for folder in disk.iterdir() if folder.is_dir()]
    names = {path.name for path in pathlib.Path(base["path"]).iterdir()}
    assert {path.name for path in copy.iterdir()} == names


def test_a_requeued_job_restarts_with_the_same_id(study):
    facts = cluster.facts(study.requeued)
    assert facts["Restarts"] == "1" and facts["JobState"] == "COMPLETED"


def test_a_cancelled_job_is_submitted_again(study):
    assert cluster.facts(study.cancelled)["JobState"] == "CANCELLED"
    assert f"SLURM-job '{study.cancelled}' failed" in study.checkout.output
    assert "Trying to restart job" in study.checkout.output


def test_no_job_starts_on_a_drained_node(study):
    assert study.started_while_drained == set()


def test_a_job_over_its_time_limit_gets_more_time_and_continues(editable):
    # The second tuning never ends, so that SLURM kills that attempt; later ones take 25 seconds.
    editable.edit(
        "adapt/ours.py",
        TUNING,
        """
    import pathlib, time
    with open("tunings", "a") as file:
        file.write("x")
    time.sleep({1: 0, 2: 600}.get(len(pathlib.Path("tunings").read_text()), 25))
"""
        + TUNING,
    )
    profile = editable.root / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace("runtime: 240 * attempt", "runtime: attempt"))
    editable.snakemake("target_alone")
    ids = [job.id for job in cluster.jobs("all") if job.folder == str(editable.root)]
    attempts = [cluster.facts(job) for job in sorted(ids, key=int)]
    assert [facts["TimeLimit"] for facts in attempts] == ["00:01:00", "00:02:00", "00:03:00"]
    assert [facts["JobState"] for facts in attempts] == ["TIMEOUT", "FAILED", "COMPLETED"]
    stopped = pathlib.Path(attempts[1]["StdOut"]).read_text()
    assert re.search(r"[2-5] of 6 runs are done", stopped)
    # Six runs and the killed one: no finished run was computed again.
    assert (editable.root / "tunings").read_text() == "x" * 7
    assert len(runs(editable, "target_alone")) == 6


def test_unlock_cleans_up_after_a_killed_snakemake(editable, study):
    editable.edit("adapt/ours.py", TUNING, "    __import__('time').sleep(2)\n" + TUNING)
    with editable.started("target_alone", "random_init") as snakemake:
        cluster.running("adaptive_merges", snakemake)
        refused = unlock(editable)
        assert refused.returncode == 1 and "Snakemake is running in this folder" in refused.stdout
        snakemake.send_signal(signal.SIGKILL)
        snakemake.wait()
    assert cluster.jobs("running")
    done = unlock(editable)
    assert done.returncode == 0 and re.search(r"cancelling \d jobs", done.stdout), done.stdout
    assert cluster.jobs() == []
    editable.snakemake("target_alone", "random_init")
    for experiment in ("target_alone", "random_init"):
        assert runs(editable, experiment) == runs(study.checkout, experiment)


def runs(checkout, experiment):
    """The runs of "ours" in an experiment, without their keys, which change with the code."""
    path = checkout.root / RESULTS / "runs" / experiment / "ours/part-0.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: line[name] for name in line if name not in ("key", *MEASURED)} for line in lines]


def unlock(checkout):
    return subprocess.run(
        [sys.executable, "profiles/slurm/unlock.py"],
        cwd=checkout.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
