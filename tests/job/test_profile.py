"""The profile for clusters against the scripts."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())


# Reads the base's description, not the base.
READING = {"plan"}


def test_scripts_that_load_the_base_ask_for_one_gpu_and_no_others_do():
    naming = {
        path.stem
        for path in (ROOT / "scripts").glob("*.py")
        if any(call in path.read_text() for call in ("Workbench(", "load_model("))
    }
    asked = {rule: wanted.get("gres") for rule, wanted in PROFILE["set-resources"].items()}
    assert {rule for rule, gres in asked.items() if gres} == naming - READING
    assert {gres for gres in asked.values() if gres} == {"gpu:1"}
    assert "gres" not in PROFILE["default-resources"]


@pytest.mark.parametrize("resource", ["runtime", "mem_mb"])
def test_time_and_memory_grow_with_the_attempt(resource):
    stages = [PROFILE["default-resources"], *PROFILE["set-resources"].values()]
    asked = [stage[resource] for stage in stages if resource in stage]
    assert len(asked) > 5
    assert all(one.endswith(" * attempt") for one in asked)
