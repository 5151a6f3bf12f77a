import pytest

from recycling.study.forecast import Part, Progress, experiments, page, scores, total

ESTIMATES = {
    "seconds": {"lora": 100, "adapt": 200, "scores": 5, "job": 60},
    "gigabytes": {"run": 0.5, "lora": 2.0},
}


def test_hours_come_from_the_estimates_until_runs_are_measured():
    batches = [
        Progress("main", "target_lora", "lora", runs=4, left=3, done=False, kept=2),
        Progress("main", "ours", "adapt", runs=2, left=2, done=False),
    ]
    (part,) = experiments(batches, ESTIMATES)
    assert (part.jobs, part.jobs_left, part.runs, part.runs_left) == (2, 2, 6, 5)
    assert part.hours == pytest.approx((3 * 100 + 60 + 2 * 200 + 60) / 3600)
    assert part.gigabytes == pytest.approx(5 * 0.5 + 2 * 2.0)
    assert not part.measured


def test_finished_runs_say_how_long_the_others_of_their_method_or_kind_take():
    batches = [
        Progress("main", "ours", "adapt", runs=3, left=0, done=True, seconds=(10.0, 30.0, 20.0)),
        Progress("sweep", "ours", "adapt", runs=2, left=2, done=False),
        Progress("sweep", "arrow", "adapt", runs=1, left=1, done=False),
    ]
    main, sweep = experiments(batches, ESTIMATES)
    assert (main.jobs_left, main.runs_left, main.hours, main.measured) == (0, 0, 0.0, False)
    assert sweep.hours == pytest.approx((2 * 20 + 60 + 20 + 60) / 3600)
    assert sweep.measured


def test_a_job_whose_runs_are_all_in_the_store_takes_no_hours():
    (part,) = experiments([Progress("main", "ours", "adapt", 2, 0, False)], ESTIMATES)
    assert (part.jobs_left, part.runs_left, part.hours) == (1, 0, 0.0)


def test_scores_count_every_adapter_on_every_task():
    part = scores("hub", jobs=4, left=1, adapters=10, tasks=8, estimates=ESTIMATES)
    assert (part.runs, part.runs_left) == (80, 20)
    assert part.hours == pytest.approx((20 * 5 + 60) / 3600)


def test_the_page_ends_with_the_sum_of_its_rows():
    parts = [Part("a", 3, 2, 10, 5, 1.5, 2.0, 1.0), Part("b", 1, 1, 4, 4, 0.5)]
    assert total(parts) == Part("all", 4, 3, 14, 9, 2.0, 2.0, 1.0)
    assert page(parts).splitlines()[-1].split() == ["all", "3", "4", "9", "14", "2.0", "2.0", "1.0"]
