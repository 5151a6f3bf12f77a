"""The report's front page: claims and verdicts, what the study was made from, what differs."""

from pathlib import Path

import yaml

from job import Job, run_job
from recycling.analysis.claims import reported_of
from recycling.analysis.comparisons import CLAIMS
from recycling.analysis.html import to_html
from recycling.analysis.reported import load_reported
from recycling.analysis.summary_page import (
    claims_lines,
    differences_lines,
    facts_lines,
    runs_facts,
)
from recycling.files import (
    atomic,
    canonical_json,
    read_json,
    read_tsv,
    sha256_file,
    sha256_text,
)
from recycling.provenance import commit, versions
from recycling.study.config import validated
from recycling.study.differences import differences

ROOT = Path(__file__).resolve().parents[1]


def main(job: Job) -> None:
    settings = job.params["settings"]
    paper = validated(yaml.safe_load(Path(job.input.paper).read_text(encoding="utf-8")))
    released = Path(job.input.released).read_text(encoding="utf-8")
    lines = [
        *claims_lines(read_json(job.input.claims), papers(job.input.reported, settings["paper"])),
        "",
        *facts_lines("What this was made from", facts(job)),
        "",
        *differences_lines(differences(paper, settings["study"]), released),
    ]
    page = "\n".join(lines) + "\n"
    for path, text in ((job.output.markdown, page), (job.output.html, to_html(page))):
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def papers(reported: str, setting: str) -> dict[str, float | None]:
    """Claim -> the difference that the paper reports in one of its settings."""
    table = load_reported(reported, setting)
    return {claim.id: reported_of(table, claim)["reported"] for claim in CLAIMS}


def facts(job: Job) -> dict[str, str]:
    """Provenance, in words. It is looked up here, not in the rule, so that it re-runs nothing."""
    base, pool = read_json(job.input.base), read_tsv(job.input.pool)
    cards = {card["task"]: card["content"] for card in map(read_json, job.input.cards)}
    return {
        "Base": f"{base['repo']}, revision {base['revision'] or 'none'}, content {base['id'][:12]}",
        "Pool": f"{len(pool)} adapters, SHA-256 of pool.tsv {sha256_file(job.input.pool)[:12]}",
        "Tasks": f"{len(cards)}, SHA-256 of their contents "
        f"{sha256_text(canonical_json(cards))[:12]}",
        **runs_facts(read_tsv(job.input.runs)),
        "Code when this page was made": commit(ROOT),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }


if __name__ == "__main__":
    run_job(main)
