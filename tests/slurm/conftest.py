"""A SLURM cluster on this machine, and a study that runs on it during failures."""

import contextlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
from tests.slurm import cluster
from tests.slurm.one_node import Unavailable, one_node
from tests.workflow.conftest import Checkout, environment, fresh  # noqa: F401

SKIPPED = 77  # exit status for tests that this machine cannot run
STUDY = ("studies/miniature.yaml", "smoke.yaml", "tests/slurm/smaller.yaml")
# The values for every line marked SITE.
SITE = {
    "slurm_partition: cpu": "slurm_partition: cpus",
    "slurm_partition: gpu": "slurm_partition: gpus",
    "slurm_account: none": "slurm_account: none",
    "gres: gpu:1": "gres: gpu:1",
    "cpus_per_task: 4": "cpus_per_task: 1",
    "similarity: 8": "similarity: 1",
}


@pytest.fixture(scope="session", autouse=True)
def slurm(tmp_path_factory):
    """The cluster. If this machine cannot run one, the tests end here with the reason."""
    try:
        with one_node(tmp_path_factory.mktemp("slurm")):
            yield
    except Unavailable as reason:
        pytest.exit(f"skipped: {reason}", returncode=SKIPPED)


@dataclass(frozen=True)
class OnCluster(Checkout):
    """A copy of the project whose jobs run on the cluster."""

    def command(self, *words):
        base = [sys.executable, "-m", "snakemake", *map(str, words), "--profile", "profiles/slurm"]
        frequent = ["--slurm-init-seconds-before-status-checks", "3"]
        return [*base, *frequent, "--configfile", *STUDY, "scratch.yaml"]

    def copy(self, target):
        return OnCluster(super().copy(target).root)

    @property
    def output(self):
        """The output so far of a Snakemake started with `started`."""
        return (self.root / "output.txt").read_text()

    @contextlib.contextmanager
    def started(self, *words):
        """A running Snakemake. If it still runs when the block ends, it and its jobs are killed."""
        with open(self.root / "output.txt", "w") as out:
            process = subprocess.Popen(
                self.command(*words), cwd=self.root, env=environment(), stdout=out, stderr=out
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
                cluster.slurm("scancel", "--me")

    def edit(self, file, old, new):
        path = self.root / "scripts/recycling" / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))


def filled_in(profile):
    """The text of the profile with the SITE lines filled in."""
    lines = profile.splitlines()
    for number, line in enumerate(lines):
        if "# SITE" in line:
            default = line.split("#")[0].strip()
            lines[number] = line.replace(default, SITE[default])
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def checkout(fresh, tmp_path_factory):  # noqa: F811
    """A fresh checkout with the profile filled in."""
    copy = OnCluster(fresh.copy(tmp_path_factory.mktemp("cluster") / "checkout").root)
    profile = copy.root / "profiles/slurm/config.yaml"
    profile.write_text(filled_in(profile.read_text()))
    # Jobs load the base from the node's disk, in a folder whose name only a job knows.
    disk = tmp_path_factory.mktemp("disk") / "$SLURM_CLUSTER_NAME"
    (copy.root / "scratch.yaml").write_text(f"base: {{scratch: {disk}}}\n")
    return copy


@dataclass(frozen=True)
class FinishedStudy:
    """A study that ran on the cluster during failures, with what was observed.

    samples: see `cluster.watched`. requeued, cancelled: ids of these jobs. started_while_drained:
    ids of the jobs that started on the drained node.
    """

    checkout: OnCluster
    samples: list
    requeued: str
    cancelled: str
    started_while_drained: set


@pytest.fixture(scope="session")
def study(checkout, tmp_path_factory):
    """The complete study; one job is requeued, one cancelled, and the node temporarily drained."""
    copy = checkout.copy(tmp_path_factory.mktemp("study") / "checkout")
    with cluster.watched() as samples, copy.started() as snakemake:
        requeued = cluster.running("miniature_adapters", snakemake).id
        cluster.slurm("scontrol", "requeue", requeued)
        cancelled = cluster.running("scores", snakemake).id
        cluster.slurm("scancel", cancelled)
        cluster.running("adaptive_merges", snakemake)
        node = cluster.slurm("sinfo", "--noheader", "--format", "%n").split()[0]
        cluster.slurm("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        before = {job.id for job in cluster.jobs("running")}
        time.sleep(15)
        after = {job.id for job in cluster.jobs("running")}
        cluster.slurm("scontrol", "update", f"nodename={node}", "state=resume")
        assert snakemake.wait(900) == 0, copy.output[-8000:]
    return FinishedStudy(copy, samples, requeued, cancelled, after - before)


@pytest.fixture(scope="session")
def local(fresh, tmp_path_factory):  # noqa: F811
    """The same study without a cluster."""
    copy = fresh.copy(tmp_path_factory.mktemp("local") / "checkout")
    copy.snakemake("--configfile", *STUDY)
    return copy


@pytest.fixture
def editable(study, tmp_path):
    """A copy of the finished study, for tests that change it and run it again."""
    yield study.checkout.copy(tmp_path / "checkout")
    shutil.rmtree(tmp_path / "checkout")
