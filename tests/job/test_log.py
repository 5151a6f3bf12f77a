"""A job's log: one process at a time, and no failure on a full disk."""

import errno
import io
import signal
import subprocess
import sys
import time

from recycling.joblog import Tee

JOB = """
import sys, time
sys.path.insert(0, "scripts")
from recycling.joblog import start_log
start_log(sys.argv[1])
print(sys.argv[2], flush=True)
time.sleep(float(sys.argv[3]))
"""


def start(log, word, seconds):
    command = [sys.executable, "-c", JOB, str(log), word, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_second_process_of_a_job_waits_for_the_first(tmp_path):
    log = tmp_path / "job.log"
    first = start(log, "first", 60)
    assert first.stdout.readline() == "first\n"
    log.unlink()  # as Snakemake does before a job
    second = start(log, "second", 0)
    assert str(log) in second.stdout.readline()
    time.sleep(0.2)
    assert second.poll() is None and not log.exists()
    first.send_signal(signal.SIGKILL)
    assert second.stdout.readline() == "second\n"
    assert second.wait(10) == 0 and log.read_text() == "second\n"
    first.wait()


class Full(io.StringIO):
    """A log on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_terminal_output_intact():
    terminal = io.StringIO()
    print("a line", file=Tee(terminal, Full()))
    assert terminal.getvalue() == "a line\n"
