"""Scores of one share of a pool: every adapter's accuracy on every task."""

from job import Job, run


def main(job: Job) -> None:
    raise NotImplementedError


if __name__ == "__main__":
    run(main)
