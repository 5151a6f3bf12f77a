"""world/hub/: the repositories of the small world, for the loopback Hub; ready.json comes last."""

from pathlib import Path

from job import Job, run_job


def main(job: Job) -> None:
    from recycling.files import write_json
    from recycling.miniature.layout import lay_out

    commits = lay_out(
        Path(job.output.ready).parent, job.input.base, job.input.adapters, **job.params["settings"]
    )
    print(f"hub: {len(commits)} repositories", flush=True)
    write_json(job.output.ready, commits)


if __name__ == "__main__":
    run_job(main)
