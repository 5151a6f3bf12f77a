"""The lock, the conda file and the container describe the same environment."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from recycling.pins import read_pins

ENVS = Path(__file__).resolve().parents[2] / "envs"
LOCKED = ("requirements.lock", "torch.txt")


@pytest.fixture(scope="module")
def lock():
    spec = importlib.util.spec_from_file_location("lock", ENVS / "lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_conda_file_is_made_from_the_lock(lock):
    texts = [(ENVS / name).read_text() for name in LOCKED]
    assert (ENVS / "environment.yaml").read_text() == lock.conda(*texts)
    listed = yaml.safe_load((ENVS / "environment.yaml").read_text())["dependencies"][-1]["pip"]
    pins = read_pins(ENVS / name for name in LOCKED)
    assert len(listed) == sum(map(len, pins.values())) > 100
    assert "torch" in pins and "torch" not in read_pins([ENVS / LOCKED[0]])


def test_every_direct_dependency_is_locked():
    lines = (ENVS / "requirements.in").read_text().splitlines()
    names = [
        re.split("[=<> ]", line)[0].lower().replace("_", "-") for line in lines if line[0] != "#"
    ]
    assert set(names) <= set(read_pins(ENVS / name for name in LOCKED))


def test_the_container_has_the_same_python_and_the_same_lock():
    recipe = (ENVS / "apptainer.def").read_text()
    conda = yaml.safe_load((ENVS / "environment.yaml").read_text())["dependencies"][0]
    (python,) = re.findall(r"^From: python:([\d.]+)-slim$", recipe, flags=re.MULTILINE)
    assert conda == f"python ={python}"
    installed = re.findall(r"^ +pip install .*-r /opt/(\S+)$", recipe, flags=re.MULTILINE)
    copied = dict(re.findall(r"^ +(envs/\S+) /opt/(\S+)$", recipe, flags=re.MULTILINE))
    assert [copied.get(f"envs/{name}") for name in LOCKED] == installed
    assert "--require-hashes" in recipe
