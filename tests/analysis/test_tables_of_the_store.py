"""The tables that read the store, on a store with made-up runs."""

import importlib
import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.analysis.synthetic import COLUMNS, row

from recycling.errors import Outdated, UserError
from recycling.evaluate.records import Record, write_records
from recycling.exhibits.source import Source
from recycling.files import write_json, write_tsv
from recycling.store.store import Recipe, Store

Q = "model.layers.0.self_attn.q_proj"


def table(name, tmp_path, inputs, settings):
    """The rows of an exhibit's table."""
    module = importlib.import_module(f"recycling.exhibits.{name}.table")
    return module.rows(Source(inputs, settings, str(tmp_path / "store")))


def stored(tmp_path, name, correct):
    """The key of a run in the store whose examples were answered so."""

    def make(folder):
        records = [Record(str(i), "x", "x", letter == "1") for i, letter in enumerate(correct)]
        write_records(folder / "records.jsonl.gz", records)
        save_file({Q: np.array([0.5, 0.25], "f4")}, folder / "coefficients.safetensors")
        facts = {"granularity": "module", "adapters": ["t", "b"], "members": {Q: [0, 1]}}
        write_json(folder / "coefficients.json", facts)

    recipe = Recipe("made up", "0", {"name": name}, {})
    Store(tmp_path / "store").compute(recipe, make)
    return recipe.key


def test_examples_are_read_from_the_store(tmp_path):
    rows = []
    for method, correct in (("ours", "1110"), ("target_lora", "1000")):
        key = stored(tmp_path, method, correct)
        merged = {"k": 5, "selection": "evaluation"} if method == "ours" else {}
        rows.append(row("main", method, "t", "0", 0.5, target="with", **merged) | {"key": key})
    write_tsv(tmp_path / "runs.tsv", COLUMNS, rows)
    settings = {"statistics": {"margin": 0.02, "resamples": 100, "seed": 0}}
    inputs = {"runs": tmp_path / "runs.tsv"}
    (found,) = table("examples", tmp_path, inputs, settings)
    assert (found["comparison"], found["only_a"], found["only_b"]) == ("C2", 2, 0)
    rows[0]["key"] = "0" * 64
    write_tsv(tmp_path / "runs.tsv", COLUMNS, rows)
    file = tmp_path / "runs/main/ours/t.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(rows[0]) + "\n")
    with pytest.raises(Outdated, match="1 runs to be compared") as caught:
        table("examples", tmp_path, inputs, settings)
    assert caught.value.files == [file]


def test_coefficients_are_those_of_the_wanted_run(tmp_path):
    key = stored(tmp_path, "ours", "1")
    fields = {"task": "t", "seed": 0, "selection": "evaluation", "target": "with", "k": 2}
    (tmp_path / "runs.jsonl").write_text("".join(
        f'{{"task": "t", "seed": {seed}, "selection": "evaluation", "target": "with", '
        f'"k": 2, "key": "{key if seed == 0 else "f" * 64}"}}\n'
        for seed in (1, 0)
    ))  # fmt: skip
    inputs = {"runs": tmp_path / "runs.jsonl"}
    rows = table("coefficients", tmp_path, inputs, {"run": fields})
    assert [r["coefficient"] for r in rows] == ["0.500000", "0.250000"]
    with pytest.raises(UserError, match="no run with"):
        table("coefficients", tmp_path, inputs, {"run": fields | {"k": 9}})
