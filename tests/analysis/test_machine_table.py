from tests.analysis.synthetic import markdown_of

from recycling.exhibits.machine.page import page
from recycling.exhibits.machine.table import COLUMNS, machine_table

USE = {"wall": 10.0, "cpu": 12.0, "working": 4.0, "loading": 1.0, "memory": 100.0, "gpu": None}
GPU = {"name": "A GPU", "mean": 0.5, "peak": 0.9, "memory": 2000.0}


def test_jobs_are_summed_up_by_rule():
    uses = [{"rule": "b", **USE}, {"rule": "a", **USE}, {"rule": "b", **USE, "memory": 150.0}]
    first, second = machine_table(uses)
    assert (first["rule"], first["jobs"], first["overhead"], first["gpu"]) == ("a", 1, "6.0", "")
    assert (second["jobs"], second["wall"], second["working"]) == (2, "20.0", "8.0")
    assert (second["overhead"], second["memory"]) == ("6.0", "150")


def test_gpu_use_is_weighted_by_time_and_may_be_unknown():
    silent = {**GPU, "mean": None, "peak": None, "memory": 3000.0}
    short = {**USE, "wall": 5.0, "gpu": {**GPU, "mean": 0.8}}
    uses = [{"rule": "a", **use} for use in ({**USE, "gpu": GPU}, short, {**USE, "gpu": silent})]
    (row,) = machine_table(uses)
    assert (row["gpu_mean"], row["gpu_peak"], row["gpu_memory"]) == ("60", "90", "3000")


def test_the_page_shows_no_columns_of_a_gpu_that_is_not_there(tmp_path):
    for gpu, shown in ((None, False), (GPU, True)):
        rows = machine_table([{"rule": "a", **USE, "gpu": gpu}])
        assert ("| GPU use" in markdown_of(page, COLUMNS, rows, tmp_path)) == shown


def test_a_study_without_notes_has_an_empty_table():
    assert machine_table([]) == []
    assert page([]).rows == []
