"""A SLURM of one node, with two GPUs that are none, for as long as a `with` block lasts.

Its configuration, state and logs lie in a folder of its own and its ports are free ones; a link in
/etc/slurm leads to them meanwhile. A machine that is part of a cluster is left alone.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "taskset")
PACKAGES = ("slurm-wlm", "munge", "util-linux")
LINKS = {Path("/etc/slurm") / name for name in ("slurm.conf", "gres.conf")}
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
GresTypes=gpu
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=3600
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000000 Gres=gpu:2
PartitionName=gpus Nodes={host}
PartitionName=cpus Nodes={host} Default=YES
"""


class Unavailable(Exception):
    """Why this machine cannot have a SLURM."""


@contextlib.contextmanager
def one_node(folder: Path) -> Iterator[None]:
    """Commands of SLURM talk to the cluster within the block; in the end all of it is stopped."""
    if os.geteuid() != 0:
        raise Unavailable("SLURM's daemons need root")
    install()
    refuse_another()
    configure(folder)
    # clients find it by the links, and what it started is found by this
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in commands(folder).items():
            with open(folder / f"{name}.log", "wb") as log:
                daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(1)  # each one needs the one before
        wait_until_idle(folder)
        yield
    finally:
        end_jobs()
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(20)
            daemon.kill()
        end_leftovers(environment["SLURM_CONF"])
        for link in LINKS:
            link.unlink(missing_ok=True)


def install() -> None:
    """The packages, where a program is missing."""
    if all(shutil.which(program) for program in PROGRAMS):
        return
    if not shutil.which("apt-get"):
        raise Unavailable("SLURM is not installed, and there is no apt-get to install it with")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "--quiet", *words]
        done = subprocess.run(command, env=quiet, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Unavailable(f"SLURM is not installed, and {' '.join(command)} failed: {why}")


def refuse_another() -> None:
    """Leave a cluster alone that is not a test's, or that a test is using at this moment."""
    if not any(link.is_symlink() or link.exists() for link in LINKS):
        return
    if not all(link.is_symlink() for link in LINKS):
        raise Unavailable("/etc/slurm/slurm.conf exists: this machine is part of a cluster")
    if " UP" in subprocess.run(["scontrol", "ping"], capture_output=True, text=True).stdout:
        raise Unavailable("/etc/slurm/slurm.conf leads to a SLURM that is at work")
    for link in LINKS:  # of a test that was killed
        link.unlink()


def configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().split(".")[0]
    text = CONFIGURATION.format(
        folder=folder, host=host, controller_port=free_port(), node_port=free_port()
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null,/dev/zero\n")
    for link in LINKS:
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(folder / link.name)
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o400)


def commands(folder: Path) -> dict[str, list[str]]:
    """The daemons by name, in the order in which they start; jobs get two cores of this process."""
    munge = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid"}
    munge |= {"log-file": "munge.log", "seed-file": "munge.seed"}
    cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:2])
    return {
        "munged": ["munged", "--foreground", "--force"]
        + [f"--{option}={folder / file}" for option, file in munge.items()],
        "slurmctld": ["slurmctld", "-D", "-c"],
        "slurmd": ["taskset", "-c", cores, "slurmd", "-D"],
    }


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until_idle(folder: Path) -> None:
    for _ in range(30):
        command = ["sinfo", "--noheader", "--format", "%T"]
        told = subprocess.run(command, capture_output=True, text=True)
        if told.stdout.split()[:1] == ["idle"]:
            return
        time.sleep(1)
    logs = "".join(path.read_text()[-1000:] for path in sorted(folder.glob("*.log")))
    raise Unavailable(f"its SLURM did not start: {told.stdout}{told.stderr}{logs}")


def end_jobs() -> None:
    with contextlib.suppress(subprocess.SubprocessError):
        for _ in range(20):
            subprocess.run(["scancel", "--user", "root"], timeout=20)
            left = subprocess.check_output(["squeue", "--noheader"], timeout=20)
            if not left:
                return
            time.sleep(1)


def end_leftovers(configuration: str) -> None:
    """Kill what still runs of the cluster's jobs: every process that knows its configuration."""
    marker = f"SLURM_CONF={configuration}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            known = (process / "environ").read_bytes().split(b"\0")
            if marker in known and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
