"""A SLURM cluster of one node with two simulated GPUs, for the duration of a `with` block.

Its configuration, state and logs are in a separate folder, and it uses free ports. Links in
/etc/slurm point to the configuration meanwhile. A machine that is part of a cluster is not touched.
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
    """The reason why this machine cannot run a SLURM cluster."""


@contextlib.contextmanager
def one_node(folder: Path) -> Iterator[None]:
    """Within the block SLURM's commands use the cluster; at the end everything is stopped."""
    if os.geteuid() != 0:
        raise Unavailable("SLURM's daemons need root")
    install()
    refuse_another()
    configure(folder)
    # Clients find the cluster by the links; end_leftovers finds its processes by this variable.
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in commands(folder).items():
            with open(folder / f"{name}.log", "wb") as log:
                daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(1)  # each daemon needs the previous one
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
    """Install the packages if a program is missing."""
    if all(shutil.which(program) for program in PROGRAMS):
        return
    if not shutil.which("apt-get"):
        raise Unavailable("SLURM is not installed, and apt-get is not available to install it")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "--quiet", *words]
        done = subprocess.run(command, env=quiet, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Unavailable(f"SLURM is not installed, and {' '.join(command)} failed: {reason}")


def refuse_another() -> None:
    """Refuse to run beside a real cluster, or beside another test's cluster that is running."""
    if not any(link.is_symlink() or link.exists() for link in LINKS):
        return
    if not all(link.is_symlink() for link in LINKS):
        raise Unavailable("/etc/slurm/slurm.conf exists: this machine is part of a cluster")
    if " UP" in subprocess.run(["scontrol", "ping"], capture_output=True, text=True).stdout:
        raise Unavailable("/etc/slurm/slurm.conf points to a SLURM that is running")
    for link in LINKS:  # left by a killed test
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
    """Daemon -> command, in the order of their start. Jobs get two cores of this process."""
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
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def wait_until_idle(folder: Path) -> None:
    for _ in range(30):
        command = ["sinfo", "--noheader", "--format", "%T"]
        sinfo = subprocess.run(command, capture_output=True, text=True)
        if sinfo.stdout.split()[:1] == ["idle"]:
            return
        time.sleep(1)
    logs = "".join(path.read_text()[-1000:] for path in sorted(folder.glob("*.log")))
    raise Unavailable(f"SLURM did not start: {sinfo.stdout}{sinfo.stderr}{logs}")


def end_jobs() -> None:
    with contextlib.suppress(subprocess.SubprocessError):
        for _ in range(20):
            subprocess.run(["scancel", "--user", "root"], timeout=20)
            remaining = subprocess.check_output(["squeue", "--noheader"], timeout=20)
            if not remaining:
                return
            time.sleep(1)


def end_leftovers(configuration: str) -> None:
    """Kill the remaining processes of the cluster's jobs: those with its configuration set."""
    marker = f"SLURM_CONF={configuration}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (process / "environ").read_bytes().split(b"\0")
            if marker in variables and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
