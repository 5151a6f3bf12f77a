"""The tables of experiments that vary settings, against cases worked out by hand."""

import pytest
from tests.analysis.synthetic import COLUMNS, markdown_of, row

from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.exhibits.capacity import page as capacity_page
from recycling.exhibits.capacity.table import COLUMNS as CAPACITY_COLUMNS
from recycling.exhibits.capacity.table import capacity_table
from recycling.exhibits.design import page as design_page
from recycling.exhibits.design.table import COLUMNS as DESIGN_COLUMNS
from recycling.exhibits.design.table import design_table
from recycling.exhibits.lora_sweep import page as lora_sweep_page
from recycling.exhibits.lora_sweep.table import COLUMNS as SWEEP_COLUMNS
from recycling.exhibits.lora_sweep.table import lora_sweep_table
from recycling.files import write_tsv

SETTINGS = Settings(resamples=200)
DESIGN = {
    "granularity": "module",
    "activation": "squared",
    "init": "equal",
    "training": {"lr": 0.05},
}
LORA = {"rank": 64, "training": {"lr": 3e-4, "steps": 400}}


@pytest.fixture
def load(tmp_path):
    def loaded(rows):
        write_tsv(tmp_path / "runs.tsv", COLUMNS, rows)
        return load_runs(tmp_path / "runs.tsv")

    return loaded


def loras(accuracy=0.5):
    return [row("main", "target_lora", task, "0", accuracy, target="with") for task in "ab"]


def designed(variant, accuracies, losses, selection="evaluation"):
    """Runs of tasks a and b at K = 5."""
    experiment = "design" if selection == "evaluation" else "selection_ablation"
    return [
        row(experiment, "design", task, "0", accuracy, selection=selection, k=5, target="with",
            variant=variant, validation_loss=loss)
        for task, accuracy, loss in zip("ab", accuracies, losses, strict=True)
    ]  # fmt: skip


def test_design_by_hand(load):
    rows = [
        *loras(),
        *designed("", (0.5, 0.6), (0.3, 0.1)),
        *designed("training.lr=0.1", (0.7, 0.2), (0.2, 0.4)),
        *designed("activation=softmax", (0.4, 0.4), (0.3, 0.3)),
        *designed("activation=softmax,init=uniform", (0.1, 0.1), (0.3, 0.3)),
        *designed("", (0.3, 0.3), (0.3, 0.3), selection="random"),
    ]
    table = design_table(load(rows), "design", DESIGN, SETTINGS)
    found = {(r["axis"], r["value"], r["lr"]): r["accuracy"] for r in table}
    own = {"0.05": "0.550000", "0.1": "0.450000", "best": "0.650000"}
    assert found == {
        **{("activation", "squared", lr): accuracy for lr, accuracy in own.items()},
        **{("selection", "evaluation", lr): accuracy for lr, accuracy in own.items()},
        ("activation", "softmax", "0.05"): "0.400000",
        ("activation + init", "softmax, uniform", "0.05"): "0.100000",
        ("selection", "random", "0.05"): "0.300000",
    }
    best = next(r for r in table if r["lr"] == "best")
    # Task a takes 0.1 (loss 0.2 < 0.3), task b 0.05 (0.1 < 0.4): 0.7 and 0.6 against 0.5 and 0.5.
    assert (best["difference"], best["wins"]) == ("0.150000", 2)


def test_the_design_is_over_the_tasks_that_all_points_have(load):
    rows = [*loras(), *designed("", (0.5, 0.6), (0.3, 0.1)),
            *designed("granularity=layer", (0.4, 0.4), (0.3, 0.3))[:1]]  # fmt: skip
    table = design_table(load(rows), "design", DESIGN, SETTINGS)
    assert {r["n_tasks"] for r in table} == {1}
    assert {r["value"]: r["accuracy"] for r in table} == {"module": "0.500000", "layer": "0.400000"}


def test_without_validation_no_learning_rate_is_chosen(load):
    rows = [*designed("", (0.5, 0.6), ("", "")), *designed("training.lr=0.1", (0.7, 0.2), ("", "")),
            *designed("init=normal", (0.4, 0.4), ("", ""))]  # fmt: skip
    table = design_table(load(rows), "design", DESIGN, SETTINGS)
    assert {r["lr"] for r in table} == {"0.05", "0.1"}


def test_search_over_the_target_lora_by_hand(load):
    rows = loras()
    for variant, accuracy in (("", 0.5), ("rank=16", 0.4), ("rank=16,training.lr=0.001", 0.6),
                              ("dropout=0.5", 0.9)):  # fmt: skip
        rows += [
            row("lora_sweep", "target_lora", task, "0", accuracy + shift, target="with",
                variant=variant, validation_loss=0.5 + shift)
            for task, shift in (("a", 0.0), ("b", 0.1))
        ]  # fmt: skip
    table = lora_sweep_table(load(rows), LORA, SETTINGS)
    assert [(r["rank"], r["lr"], r["steps"], r["accuracy"], r["configured"]) for r in table] == [
        ("16", "0.0003", "400", "0.450000", ""), ("16", "0.001", "400", "0.650000", ""),
        ("64", "0.0003", "400", "0.550000", "yes"),
    ]  # fmt: skip
    assert table[1]["difference"] == "0.150000" and "difference" not in table[2]
    assert table[0]["validation_loss"] == "0.550000"


def test_capacity_by_hand(load):
    merged = {"target": "with", "k": 5, "selection": "evaluation"}
    rows = loras()
    for task in "ab":
        rows += [
            row("main", "ours", task, "0", 0.6, **merged),
            row("random_init", "ours", task, "0", 0.55, reinit="others", **merged),
            row("target_alone", "ours", task, "0", 0.52, k=1, target="with"),
            row("random_basis", "random_basis", task, "0", 0.4, k=1, target="with"),
            row("random_basis", "random_basis", task, "0", 0.7, k=1, target="with",
                variant="count=128"),
        ]  # fmt: skip
    table = capacity_table(load(rows), {"count": 30}, SETTINGS)
    assert [(r["series"], r["k"], r["difference"]) for r in table] == [
        ("alone", 1, "0.020000"), ("random basis", 30, "-0.100000"),
        ("random basis", 128, "0.200000"), ("re-initialised", 5, "0.050000"),
        ("recycled", 5, "0.100000"),
    ]  # fmt: skip


def test_pages_say_what_the_tables_say(load, tmp_path):
    runs = load([*loras(), *designed("", (0.5, 0.6), (0.3, 0.1)),
                 *designed("init=normal", (0.4, 0.4), (0.3, 0.3))])  # fmt: skip
    lora = [{"lr": "0.001", "steps": "400", "rank": "16", "configured": "yes", "n_tasks": 2,
             "n_seeds": 1, "accuracy": "0.5"}]  # fmt: skip
    for columns, rows, module, line in (
        (DESIGN_COLUMNS, design_table(runs, "design", DESIGN, SETTINGS), design_page,
         "| init | equal | with target LoRA | 5 | 0.05 | 2 × 1 | 55.0 | +5.0 |"),
        (SWEEP_COLUMNS, lora, lora_sweep_page,
         "| 400 | 16 | 0.001 | – | 2 × 1 | 50.0 | – |  |  | yes |"),
        (CAPACITY_COLUMNS, [lora[0] | {"series": "alone", "k": 1}], capacity_page,
         "| alone | 1 | 2 × 1 | 50.0 | – |"),
    ):  # fmt: skip
        kept = [{name: r[name] for name in columns if name in r} for r in rows]
        assert line in markdown_of(module.page, columns, kept, tmp_path)
