"""The front page: what was claimed, what was found, how sure it is, and what it was made from."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from recycling.analysis.markup import markdown, table_lines
from recycling.analysis.numbers import percent_interval, signed_percent

CLAIM_HEADS = {
    "claim": "Claim of the paper",
    "verdict": "Verdict",
    "effect": "Effect",
    "interval": "95 % interval",
    "n": "Tasks × seeds",
    "paper": "Paper",
}
HOW_SURE = (
    "Effects are differences of accuracy in percentage points, paired by task and seed. A claim is "
    "supported when the 95 % interval (bootstrap over tasks, and over seeds within tasks) lies "
    "wholly where the claim puts the effect and a test over tasks holds after Holm's correction "
    "over the claims; contradicted when it lies wholly elsewhere and the opposite test holds; else "
    "inconclusive. Paper: the difference of the figures that it reports for its own base, "
    "pool and tasks, second-hand; a dash where it gives none that can be read."
)


def claims_lines(
    claims: Sequence[Mapping[str, Any]], paper: Mapping[str, float | None]
) -> list[str]:
    """claims: as returned by `judge`. paper: claim -> the difference that the paper reports."""
    counts = Counter(claim["verdict"] for claim in claims)
    summary = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    rows = [
        {
            "claim": f"{claim['id']} {claim['statement']}",
            "verdict": claim["verdict"],
            "effect": signed_percent(claim["effect"]),
            "interval": percent_interval(claim["ci_low"], claim["ci_high"]),
            "n": f"{claim['n_tasks']} × {claim['n_seeds']}" if claim["n_tasks"] else "",
            "paper": signed_percent(paper[claim["id"]]),
        }
        for claim in claims
    ]
    reasons = [
        f"- {markdown(claim['id'])}, {markdown(claim['effect_is'])}: {markdown(claim['reason'])}."
        for claim in claims
    ]
    return [
        "## Claims and results",
        "",
        f"Of {len(claims)} claims: {summary}.",
        "",
        *table_lines(CLAIM_HEADS, rows),
        "",
        markdown(HOW_SURE),
        "",
        *reasons,
    ]


def facts_lines(title: str, facts: Mapping[str, str]) -> list[str]:
    """A heading and a table of two columns."""
    rows = [{"what": what, "value": value} for what, value in facts.items()]
    return [f"## {title}", "", *table_lines({"what": "", "value": ""}, rows)]


def differences_lines(rows: Sequence[tuple[str, str, str]], released: str) -> list[str]:
    """rows: as returned by `differences`. released: a page on departures from the released code."""
    heads = {"key": "Setting", "paper": "The paper's study", "here": "Here"}
    cells = [dict(zip(heads, row, strict=True)) for row in rows]
    table = table_lines(heads, cells) if rows else ["None: the settings are the paper's."]
    return [
        "## Differences from the paper's settings",
        "",
        *table,
        "",
        re.sub("^#", "##", released, flags=re.MULTILINE).strip(),
    ]


def runs_facts(runs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """How many runs, when and where. runs: rows of runs.tsv, in which experiments share runs."""
    distinct = {run["key"]: run for run in runs}
    machines = Counter(run["machine"] for run in distinct.values())
    finished = sorted(run["finished"] for run in distinct.values())
    return {
        "Runs": f"{len(distinct)} different ones, in {len(runs)} rows of runs.tsv",
        "First and last run finished": f"{finished[0]} and {finished[-1]}" if finished else "–",
        "Computed on": "; ".join(f"{name}: {n} runs" for name, n in machines.most_common()),
    }
