"""Which scripts may use the network, and what becomes of the others when they would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = '''"""A script that asks the Hub."""
import sys
sys.path.insert(0, {scripts!r})
from job import run
{imports}

def main(job):
    {body}

run(main{network})
'''
ASKING = {
    "a model": (
        "from transformers import AutoConfig",
        'AutoConfig.from_pretrained("owner/model")',
        "to load the files",
    ),
    "a data set": ("import datasets", 'datasets.load_dataset("owner/data")', "owner/data"),
    "a file": (
        "from huggingface_hub import hf_hub_download",
        'hf_hub_download("owner/model", "config.json")',
        "requested file",
    ),
}


def ran(folder, imports, body, network="", **environment):
    """A script, run by hand on an empty job."""
    script, orders = folder / "script.py", folder / "orders.json"
    scripts = str(ROOT / "scripts")
    script.write_text(SCRIPT.format(scripts=scripts, imports=imports, body=body, network=network))
    empty = {key: {} for key in ("input", "output", "params", "machine")}
    orders.write_text(json.dumps({**empty, "threads": 1}))
    # A Hub that nobody answers for: a request would hang, or try again and again.
    known = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    known |= {"HF_HOME": str(folder / "hf"), "HF_ENDPOINT": "http://10.255.255.1", **environment}
    return subprocess.run(
        [sys.executable, script, orders], env=known, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("what", ASKING)
def test_a_script_that_would_need_the_network_fails_at_once_and_says_so(tmp_path, what):
    imports, body, told = ASKING[what]
    done = ran(tmp_path, imports, body)
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "runs without the network" in error and told in error
    assert "fetched by the rules base, candidates, pool and task" in error
    assert "Traceback" not in done.stderr


def test_another_mistake_keeps_its_traceback(tmp_path):
    done = ran(tmp_path, "", "raise ValueError('mine')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ValueError: mine" in done.stderr


@pytest.mark.parametrize(("wish", "offline"), [({}, "None"), ({"HF_HUB_OFFLINE": "1"}, "1")])
def test_a_script_that_may_use_it_finds_the_users_own_wish(tmp_path, wish, offline):
    body = "print(os.environ.get('HF_HUB_OFFLINE'), os.environ.get('HF_DATASETS_OFFLINE'))"
    done = ran(tmp_path, "import os", body, ", network=True", **wish)
    assert done.stdout == f"{offline} None\n"


def test_what_needs_the_internet_runs_where_snakemake_does():
    asking = {
        path.stem
        for path in (ROOT / "scripts").glob("*.py")
        if "run(main, network=True)" in path.read_text()
    }
    assert asking == {"base", "candidates", "pool", "task"}
    text = (ROOT / "Snakefile").read_text()
    local = text.split("localrules:")[1].split("\n\n")[0].replace(",", " ").split()
    assert asking <= set(local)
