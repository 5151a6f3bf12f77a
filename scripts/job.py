"""What a script is asked to do, by Snakemake or by hand.

A script is `run(main)`: `main` gets a `Job`. Under Snakemake the job comes from the rule and is
written beside the rule's log; by hand the same file starts the same job again:

    python scripts/pool.py results/miniature/logs/pool.json
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import __main__
from recycling.errors import Outdated, UserError
from recycling.hub.offline import Offline, wanted
from recycling.time_limit import deadline

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
    (hub, device, scratch, batch_tokens, store, the words with which Snakemake was asked), so that a
    change of it re-runs nothing. deadline: when the job will be stopped (seconds since 1970), or
    None.
    """

    input: SimpleNamespace
    output: SimpleNamespace
    params: Mapping[str, Any]
    machine: Mapping[str, Any]
    threads: int
    deadline: float | None
    log: str | None


def listed(paths: str | list[str]) -> list[str]:
    """The paths of an input or output that may be one path or several."""
    return [paths] if isinstance(paths, str) else paths


class _Tee:
    """Writes to the terminal and to the rule's log."""

    def __init__(self, terminal: TextIO, log: TextIO):
        self.terminal, self.log = terminal, log

    def write(self, text: str) -> int:
        self.log.write(text)
        self.log.flush()
        return self.terminal.write(text)

    def flush(self) -> None:
        self.terminal.flush()

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self.terminal.fileno()


def run(main: Callable[[Job], None], network: bool = False) -> None:
    """Run `main` on the job at hand; a UserError ends the script with one line and status 1.

    network: whether it may use the network. Without, what would need it fails at once.
    """
    if network:
        OFFLINE.lift()
    job = _from_snakemake() or _from_file()
    # Before torch is imported: one thread a core that was asked for, whatever the machine has.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(job.threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
    if job.log:
        log = open(job.log, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the script
        sys.stdout, sys.stderr = _Tee(sys.stdout, log), _Tee(sys.stderr, log)
    try:
        main(job)
    except UserError as error:
        for file in error.files if isinstance(error, Outdated) else ():
            file.unlink(missing_ok=True)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if network or not (missing := wanted(error)):
            raise
        print(f"error: this step runs without the network: {missing} {FETCHED}", file=sys.stderr)
        sys.exit(1)


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
            "asked": given.config["asked"],
        },
        "threads": given.threads,
    }
    spec = json.loads(json.dumps(spec, default=_plain))
    log = str(given.log[0]) if len(given.log) else None
    if log:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        Path(log).with_suffix(".json").write_text(json.dumps(spec, indent=1) + "\n")
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
        deadline=deadline(),
        log=log,
    )
