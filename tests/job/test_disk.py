"""Full disks, as various libraries report them."""

import errno
import gzip
import json
import random
import resource

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from recycling.disk import full_disk_message

TENSOR = {"a": np.ones(1_000_000, "f4")}


def plain(path):
    with open(path, "w") as file:
        json.dump("x" * 1_000_000, file)


def zipped(path):
    with gzip.open(path, "wb") as file:
        file.write(random.randbytes(1_000_000))


def wrapped(path):
    try:
        plain(path)
    except OSError as error:
        raise RuntimeError("while writing") from error


WRITERS = {
    "plain": plain,
    "gzip": zipped,
    "safetensors": lambda path: save_file(TENSOR, path),
    "torch": lambda path: torch.save({"a": torch.ones(1_000_000)}, path),
    "wrapped": wrapped,
}


@pytest.fixture
def size_limit():
    """No file may be larger than 1,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_recognised(size_limit, tmp_path, name):
    with pytest.raises(Exception) as caught:
        WRITERS[name](tmp_path / "file")
    assert "disk full" in (full_disk_message(caught.value) or "")


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "missing", "x"), ValueError("no"), RuntimeError("CUDA error")]
)
def test_other_errors_are_not(error):
    assert full_disk_message(error) is None
