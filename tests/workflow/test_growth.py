"""What is computed when the pool grows by one adapter."""

import json
import shutil

import pytest
from safetensors.numpy import load_file, save_file
from tests.workflow.test_study import RESULTS, table

from recycling.files import read_json
from recycling.miniature.repositories import add_repo
from recycling.select.ranking import random

pytestmark = [pytest.mark.xdist_group("workflow"), pytest.mark.slow]


def entries(checkout):
    """key -> recipe of everything in the store."""
    found = (checkout.root / "results/store").glob("[0-9a-f][0-9a-f]/*/entry.json")
    return {path.parent.name: read_json(path)["recipe"] for path in found}


def newcomer(checkout, name):
    """Put one more adapter on the small world's Hub: a kept one with other weights."""
    kept = table(checkout, "pool/pool.tsv")[0]
    folder = checkout.root / "newcomer"
    shutil.copytree(checkout.root / RESULTS / "pool" / kept["folder"], folder)
    weights = folder / "adapter_model.safetensors"
    save_file({key: value * 1.01 for key, value in load_file(weights).items()}, weights)
    base = read_json(folder / "adapter_config.json")["base_model_name_or_path"]
    card = {"base_model": base, "library_name": "peft", "license": "mit"}
    hub = checkout.root / RESULTS / "world/hub"
    add_repo(
        hub, "model", name, {path.name: path.read_bytes() for path in folder.iterdir()}, card=card
    )


def test_one_more_adapter_costs_its_scores_and_the_merges_that_take_it(finished, tmp_path):
    checkout = finished.copy(tmp_path / "checkout")
    names = [row["repo_id"] for row in table(checkout, "pool/pool.tsv")]
    name = next(
        n
        for n in map("newcomer/tiny-{}".format, range(999))
        if random([*names, n], 0).names[0] == n
    )
    newcomer(checkout, name)
    before = entries(checkout)
    checkout.snakemake("--forcerun", "candidates", "--", RESULTS / "runs.tsv")

    (row,) = [row for row in table(checkout, "pool/pool.tsv") if row["repo_id"] == name]
    computed = {key: recipe for key, recipe in entries(checkout).items() if key not in before}
    scores = [one for one in computed.values() if one["function"] == "score"]
    merges = [one for one in computed.values() if one["function"] != "score"]
    tasks = list((checkout.root / RESULTS / "selections/hub").glob("*.tsv"))
    assert [one["inputs"]["adapter"] for one in scores] == [row["sha256"]] * len(tasks)
    # Taken by chance or by merit, or another adapter's place in an order changed.
    assert merges and all(one["function"] in ("merge", "adapt") for one in merges)
    shown = [row["key"] for row in table(checkout, "runs.tsv")]
    taking = {key for key in shown if row["sha256"] in json.dumps((before | computed)[key])}
    assert taking == {key for key in shown if key in computed} != set(shown)
