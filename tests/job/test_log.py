"""A job's log: one process at a time, and no trouble where the disk is full."""

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


def test_a_second_start_of_a_job_waits_for_the_first(tmp_path):
    log = tmp_path / "job.log"
    first = start(log, "one", 60)
    assert first.stdout.readline() == "one\n"
    log.unlink()  # as Snakemake does before a job
    second = start(log, "two", 0)
    assert "an earlier start of this job is at work" in second.stdout.readline()
    time.sleep(0.2)
    assert second.poll() is None and not log.exists()
    first.send_signal(signal.SIGKILL)
    assert second.stdout.readline() == "two\n"
    assert second.wait(10) == 0 and log.read_text() == "two\n"
    first.wait()


class Full(io.StringIO):
    """A log on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_finds_no_room_in_the_log_is_on_the_terminal():
    terminal = io.StringIO()
    print("so much", file=Tee(terminal, Full()))
    assert terminal.getvalue() == "so much\n"
