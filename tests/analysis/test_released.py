"""Released result tables: both forms, their known faults, and what is refused."""

import pytest
from tests.analysis.synthetic import markdown_of

from recycling.analysis.released_results import COLUMNS, load_released, released_table
from recycling.errors import UserError
from recycling.exhibits.released.page import page

TASKS = ("clinc_oos", "temporal_sequences", "hyperbaton", "aqua_rat", "gsm8k", "twitter_complaints",
         "anli")  # fmt: skip


@pytest.fixture
def load(tmp_path):
    def loaded(text, kind="pool", **more):
        (tmp_path / "r.csv").write_text(text, **more)
        return load_released(tmp_path / "r.csv", kind, TASKS)

    return loaded


def test_a_matrix_and_its_tidy_form_say_the_same(load):
    matrix = load("model,anli,gsm8k\na/b,0.5,0.25\nc/d,,0.75\n")
    tidy = load("task,adapter,accuracy\nanli,a/b,0.5\ngsm8k,a/b,0.25\ngsm8k,c/d,0.75\n")
    assert matrix == tidy == {"anli": [0.5], "gsm8k": [0.25, 0.75]}


def test_a_byte_order_mark_and_an_index_without_name_do_no_harm(load):
    assert load(",anli\n0,0.5\n", encoding="utf-8-sig") == {"anli": [0.5]}


def test_columns_that_are_no_task_are_named_and_left_out(load, capsys):
    assert load("model,anli,average\na/b,0.5,0.4\n") == {"anli": [0.5]}
    assert "left out, no known task: average" in capsys.readouterr().out


FAULTY = "m,temporal_sequences,temporal_sequences{1},hyperbaton,hyperbaton{1},twitter_complaints," \
         "twitter_complaints{1}\na/b,0.1,0.2,0.3,0.4,0.5,0.6\n"  # fmt: skip


@pytest.mark.parametrize("second", ["", ".1"])
def test_wrong_names_in_the_matrix_on_test_are_corrected(load, second):
    """Whether the file repeats a name or pandas has renamed the second."""
    found = load(FAULTY.replace("{1}", second), "pool_test")
    assert found == {
        "clinc_oos": [0.1], "temporal_sequences": [0.2], "hyperbaton": [0.3], "aqua_rat": [0.4],
        "gsm8k": [0.5], "twitter_complaints": [0.6],
    }  # fmt: skip


def test_names_that_stand_once_are_believed(load):
    text = "m,temporal_sequences,hyperbaton\na/b,0.1,0.2\n"
    assert load(text, "pool_test") == {"temporal_sequences": [0.1], "hyperbaton": [0.2]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no row below a header"),
        ("m,anli\n", "no row below a header"),
        ("m,anli\na/b,0.5,0.6\n", "row 2 has 3 cells, its header 2"),
        ("m,anli\na/b,46.7\n", "row 2, anli: accuracy 46.7 is not between 0 and 1"),
        ("m,anli\na/b,nan\n", "row 2, anli: accuracy nan is not between 0 and 1"),
        ("m,anli\na/b,high\n", "'high' is not a number"),
        ("m,anli,anli\na/b,0.1,0.2\n", "two columns for one task: anli.1"),
        ("m,x,y\na/b,0.1,0.2\n", "neither tidy .columns task, accuracy. nor a matrix"),
        (FAULTY.replace("{1}", "").replace("m,", "clinc_oos,clinc_oos,", 1).replace("a/b,", "a,0,"),
         "two columns for one task: clinc_oos"),
    ],
)  # fmt: skip
def test_what_is_refused(load, text, words):
    with pytest.raises(UserError, match=words) as error:
        load(text, "pool_test" if "clinc_oos" in text else "pool")
    assert "\n" not in str(error.value)


def test_no_such_file_and_no_text(tmp_path):
    with pytest.raises(UserError, match=r"released\.zero_shot: .*: no such file"):
        load_released(tmp_path / "r.csv", "zero_shot", TASKS)
    (tmp_path / "r.csv").write_bytes(b"m,anli\n\xff,0.5\n")
    with pytest.raises(UserError, match="not a CSV file"):
        load_released(tmp_path / "r.csv", "zero_shot", TASKS)


def test_the_two_stand_side_by_side(tmp_path):
    released = {"pool": {"anli": [0.2, 0.4], "gsm8k": [0.5]}, "zero_shot": {"anli": [0.5]}}
    ours = {"pool": {"anli": [0.4, 0.5]}, "target_lora": {"anli": [0.9]}}
    rows = released_table(released, ours)
    assert [(r["kind"], r["task"], r["released"], r["ours"], r["difference"]) for r in rows] == [
        ("pool", "anli", "0.300000", "0.450000", "0.150000"),
        ("pool", "gsm8k", "0.500000", "", ""),
        ("zero_shot", "anli", "0.500000", "", ""),
    ]  # fmt: skip
    shown = markdown_of(page, COLUMNS, rows, tmp_path)
    assert "| 1 of 2 tasks here too | 30.0 |  | 45.0 |  | +15.0 |" in shown
    assert "| 0 of 1 tasks here too |" in shown
    assert "|  | gsm8k | 50.0 | 1 | – | 0 | – |" in shown
