"""The measured usage of a job."""

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from recycling import usage


@pytest.fixture(autouse=True)
def reset(monkeypatch):
    usage._spent.clear()
    monkeypatch.setattr(usage, "SAMPLING_SECONDS", 0.05)


def test_nested_time_counts_once():
    with usage.spending("working"):
        time.sleep(0.02)
        with usage.spending("loading"):
            time.sleep(0.1)
    assert usage.spent("loading") >= 0.1
    assert 0.02 <= usage.spent("working") < 0.1


def test_time_counts_when_the_work_fails():
    with pytest.raises(ZeroDivisionError), usage.spending("working"):
        time.sleep(0.02)
        raise ZeroDivisionError
    assert usage.spent("working") >= 0.02


def test_the_meter_does_not_import_torch():
    code = (
        "import sys, time; sys.path.insert(0, 'scripts'); from recycling.usage import Meter\n"
        "meter = Meter(); use = meter.stop(); assert 'torch' not in sys.modules\n"
        "assert use['gpu'] is None and use['wall'] > 0 and use['cpu'] > 0 and use['memory'] > 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_memory_is_that_of_this_process_only():
    """The 300 MB of a parent do not count for its child."""
    child = (
        "import sys; sys.path.insert(0, 'scripts'); from recycling.usage import Meter\n"
        "print(Meter().stop()['memory'])"
    )
    parent = (
        "import subprocess, sys; much = bytearray(300_000_000)\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], check=True, preexec_fn=lambda: None)"
    )
    done = subprocess.run([sys.executable, "-c", parent], check=True, stdout=subprocess.PIPE)
    assert 1 < float(done.stdout) < 100


def fake_gpu(monkeypatch, tmp_path, answer):
    """A torch that uses a GPU, and an nvidia-smi with this answer."""
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        get_device_properties=lambda _: SimpleNamespace(uuid="1-2"),
        get_device_name=lambda: "A GPU",
        max_memory_allocated=lambda: 3 * 2**20,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\n{answer}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_a_gpu_is_measured(monkeypatch, tmp_path):
    fake_gpu(monkeypatch, tmp_path, "echo 80")
    meter = usage.Meter()
    time.sleep(0.5)
    assert meter.stop()["gpu"] == {"name": "A GPU", "mean": 0.8, "peak": 0.8, "memory": 3.0}
    assert "-i GPU-1-2" in (tmp_path / "arguments").read_text()


@pytest.mark.parametrize("answer", ["echo '[N/A]'", "exit 9"])
def test_a_gpu_without_utilisation_is_no_error(monkeypatch, tmp_path, answer):
    fake_gpu(monkeypatch, tmp_path, answer)
    meter = usage.Meter()
    time.sleep(0.3)
    assert meter.stop()["gpu"] == {"name": "A GPU", "mean": None, "peak": None, "memory": 3.0}
