"""Which scripts may use the network, and how the others fail when they try."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = '''"""A script that uses the Hub."""
import sys
sys.path.insert(0, {scripts!r})
from job import run_job
{imports}

def main(job):
    {body}

run_job(main{network})
'''
REQUESTS = {
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


def run_script(folder, imports, body, network="", **environment):
    """Run a script by hand on an empty job."""
    script, job = folder / "script.py", folder / "job.json"
    scripts = str(ROOT / "scripts")
    script.write_text(SCRIPT.format(scripts=scripts, imports=imports, body=body, network=network))
    empty = {key: {} for key in ("input", "output", "params", "machine")}
    job.write_text(json.dumps({**empty, "threads": 1}))
    # A Hub that never responds: a request would hang, or be repeated again and again.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables |= {"HF_HOME": str(folder / "hf"), "HF_ENDPOINT": "http://10.255.255.1"}
    return subprocess.run(
        [sys.executable, script, job],
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", REQUESTS)
def test_a_script_that_needs_the_network_fails_at_once_with_the_reason(tmp_path, name):
    imports, body, reason = REQUESTS[name]
    done = run_script(tmp_path, imports, body)
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "network" in error and reason in error
    assert "base, candidates, pool and task" in error
    assert "Traceback" not in done.stderr


def test_any_other_error_keeps_its_traceback(tmp_path):
    done = run_script(tmp_path, "", "raise ValueError('mine')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ValueError: mine" in done.stderr


@pytest.mark.parametrize(("variables", "offline"), [({}, "None"), ({"HF_HUB_OFFLINE": "1"}, "1")])
def test_a_script_with_network_keeps_the_users_offline_mode(tmp_path, variables, offline):
    body = "print(os.environ.get('HF_HUB_OFFLINE'), os.environ.get('HF_DATASETS_OFFLINE'))"
    done = run_script(tmp_path, "import os", body, ", network=True", **variables)
    assert done.stdout == f"{offline} None\n"


def test_scripts_that_need_the_internet_are_local_rules():
    network_scripts = {
        path.stem
        for path in (ROOT / "scripts").glob("*.py")
        if "run_job(main, network=True)" in path.read_text()
    }
    assert network_scripts == {"base", "candidates", "pool", "task"}
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    blocks = {block.split(":", 1)[0]: block for block in rules.split("\nrule ")}
    assert all("localrule: True" in blocks[name] for name in network_scripts)
