"""What a script is asked to do, by Snakemake or by hand.

A script is `run_job(main)`: `main` gets a `Job`. Under Snakemake the job comes from the rule and is
written beside the rule's log. By hand, the same file starts the same job again:

    python scripts/pool.py results/miniature/logs/pool/pool.json
"""

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import __main__
from recycling.disk import full_disk_message
from recycling.errors import Outdated, UserError
from recycling.files import write_json
from recycling.hub.offline import Offline, blocked_request
from recycling.joblog import start_log
from recycling.time_limit import deadline
from recycling.usage import USE, Meter

# Before a script imports a Hub library, which it may do right after this module.
OFFLINE = Offline()
FETCHED = (
    "(all that comes from the Hub is fetched by the rules base, candidates, pool and task, "
    "where snakemake runs, into HF_HOME, which every node must see: docs/cluster.md)"
)


@dataclass(frozen=True)
class Job:
    """What the rule says.

    input, output: paths by name (a str or a list of str). params: what results depend on:
    `settings`, and `code`, the hash of the script's source. machine: what they do not depend on
    (hub, device, scratch, batch_tokens, store, Snakemake's own command line as invocation), so that
    a change of it re-runs nothing. deadline: when the job will be stopped (seconds since 1970), or
    None.
    """

    input: SimpleNamespace
    output: SimpleNamespace
    params: Mapping[str, Any]
    machine: Mapping[str, Any]
    threads: int
    rule: str
    deadline: float | None
    log: str | None


def listed(paths: str | list[str]) -> list[str]:
    """The paths of an input or output that may be one path or several."""
    return [paths] if isinstance(paths, str) else paths


def run_job(main: Callable[[Job], None], network: bool = False) -> None:
    """Run `main` on the job at hand; a UserError ends the script with one line and status 1.

    network: whether it may use the network. Without, what would need it fails at once.
    """
    if network:
        OFFLINE.lift()
    try:
        _do(main, _from_snakemake() or _from_file())
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        message = _in_words(error, network)
        if message is None:
            raise
        for file in error.files if isinstance(error, Outdated) else ():
            file.unlink(missing_ok=True)
        print(f"error: {message}", file=sys.stderr)
        sys.exit(1)


def _do(main: Callable[[Job], None], job: Job) -> None:
    # Before torch is imported: one thread a core that was asked for, whatever the machine has.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(job.threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
    if not job.log:
        main(job)
        return
    start_log(job.log)
    meter = Meter()
    try:
        main(job)
    finally:
        with contextlib.suppress(OSError):  # a full disk is not worth a second error
            write_json(Path(job.log).with_suffix(USE), {"rule": job.rule, **meter.stop()})


def _in_words(error: Exception, network: bool) -> str | None:
    """One line for a person; None for what only a programmer can mend."""
    if isinstance(error, UserError):
        return str(error)
    if message := full_disk_message(error):
        return message
    if not network and (request := blocked_request(error)):
        return f"this step runs without the network: {request} {FETCHED}"
    return None


def _from_snakemake() -> Job | None:
    given = getattr(__main__, "snakemake", None)
    if given is None:
        return None
    spec = {
        "input": dict(given.input.items()),
        "output": dict(given.output.items()),
        "params": dict(given.params.items()),
        "machine": {
            "hub": given.config["hub"],
            "device": given.config["base"]["device"],
            "scratch": given.config["base"]["scratch"],
            "batch_tokens": given.config["tasks"]["batch_tokens"],
            "store": os.path.join(given.config["results"], "store"),
            "invocation": given.config["invocation"],
        },
        "threads": given.threads,
        "rule": given.rule,
    }
    spec = json.loads(json.dumps(spec, default=_plain))
    log = str(given.log[0]) if len(given.log) else None
    if log:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        write_json(Path(log).with_suffix(".json"), spec)
    return _job(spec, log)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple | set) else str(value)


def _from_file() -> Job:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        print((__main__.__doc__ or "").strip(), file=sys.stderr)
        print(f"\nusage: python {sys.argv[0]} JOB.json (see scripts/job.py)", file=sys.stderr)
        sys.exit(2)
    return _job(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), None)


def _job(spec: Mapping[str, Any], log: str | None) -> Job:
    return Job(
        input=SimpleNamespace(**spec["input"]),
        output=SimpleNamespace(**spec["output"]),
        params=spec["params"],
        machine=spec["machine"],
        threads=int(spec["threads"]),
        rule=spec.get("rule", ""),
        deadline=deadline(),
        log=log,
    )
