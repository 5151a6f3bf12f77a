"""A SLURM on this machine, and the study run on it while things go wrong."""

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

SKIPPED = 77  # the exit status that says: not tested here
STUDY = ("studies/miniature.yaml", "smoke.yaml", "tests/slurm/smaller.yaml")
# What a site fills in: every line marked SITE, and nothing else.
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
    """The cluster. Where the machine cannot have one, the tests end here and say why."""
    try:
        with one_node(tmp_path_factory.mktemp("slurm")):
            yield
    except Unavailable as why:
        pytest.exit(f"skipped: {why}", returncode=SKIPPED)


@dataclass(frozen=True)
class OnCluster(Checkout):
    """A copy of the project whose jobs go to the cluster."""

    def command(self, *words):
        base = [sys.executable, "-m", "snakemake", *map(str, words), "--profile", "profiles/slurm"]
        often = ["--slurm-init-seconds-before-status-checks", "3"]
        return [*base, *often, "--configfile", *STUDY, "scratch.yaml"]

    def copy(self, target):
        return OnCluster(super().copy(target).root)

    @property
    def told(self):
        """All that a Snakemake begun with `started` has said so far."""
        return (self.root / "told.txt").read_text()

    @contextlib.contextmanager
    def started(self, *words):
        """A Snakemake at work; killed with its jobs, if it still is when the block ends."""
        with open(self.root / "told.txt", "w") as out:
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
    """The text of the profile as a site would fill it in."""
    lines = profile.splitlines()
    for number, line in enumerate(lines):
        if "# SITE" in line:
            asked = line.split("#")[0].strip()
            lines[number] = line.replace(asked, SITE[asked])
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def checkout(fresh, tmp_path_factory):  # noqa: F811
    """A checkout in which nothing has run, with the profile filled in."""
    copy = OnCluster(fresh.copy(tmp_path_factory.mktemp("cluster") / "checkout").root)
    profile = copy.root / "profiles/slurm/config.yaml"
    profile.write_text(filled_in(profile.read_text()))
    # the base comes from the node's own disk, in a folder that only a job can name
    disk = tmp_path_factory.mktemp("disk") / "$SLURM_CLUSTER_NAME"
    (copy.root / "scratch.yaml").write_text(f"base: {{scratch: {disk}}}\n")
    return copy


@dataclass(frozen=True)
class Story:
    """A study that ran on the cluster while things went wrong, and what was seen meanwhile."""

    checkout: OnCluster
    seen: list
    requeued: str
    cancelled: str
    begun_while_drained: set


@pytest.fixture(scope="session")
def story(checkout, tmp_path_factory):
    """The whole study, while one job is requeued, one cancelled, and the node drained a while."""
    mine = checkout.copy(tmp_path_factory.mktemp("story") / "checkout")
    with cluster.watched() as seen, mine.started() as snakemake:
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
        assert snakemake.wait(900) == 0, mine.told[-8000:]
    return Story(mine, seen, requeued, cancelled, after - before)


@pytest.fixture(scope="session")
def local(fresh, tmp_path_factory):  # noqa: F811
    """The same study without a cluster."""
    copy = fresh.copy(tmp_path_factory.mktemp("local") / "checkout")
    copy.snakemake("--configfile", *STUDY)
    return copy


@pytest.fixture
def again(story, tmp_path):
    """The finished study, for a test that changes something and has it run again."""
    yield story.checkout.copy(tmp_path / "checkout")
    shutil.rmtree(tmp_path / "checkout")
