"""The report in a browser: everything loads, offline, and strangers' names stay text."""

import asyncio
import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workflow import chromium

pytestmark = [
    pytest.mark.xdist_group("workflow"),
    pytest.mark.skipif(chromium.executable() is None, reason="no Chromium on this machine"),
]
RESULTS = Path("results/miniature")
HOSTILE = (
    "<script>document.title = 'hacked'; alert(1)</script>",
    "<img src=x onerror=\"document.title = 'hacked'\">",
    "</td></table></script><svg/onload=alert(1)>",
    "\"'`'\" onmouseover=alert(1) [x](javascript:alert(1))",
    "\u202ereversed\u2066",
)
SHOWN = ("<script>document.title", "<img src=x onerror", "</td></table></script>")


@pytest.fixture(scope="session")
def hostile(finished, tmp_path_factory):
    """A finished study whose adapters, licences and authors are named to do harm."""
    checkout = finished.copy(tmp_path_factory.mktemp("hostile") / "checkout")
    root = checkout.root / RESULTS
    for path in sorted((root / "scores/hub").glob("*.tsv")):
        rename(path, "repo_id")
    for column in ("licence", "author"):
        rename(root / "pool/pool.tsv", column)
    rename(root / "tables/pool_scores.tsv", "repo_id")
    rename(root / "tables/coefficients.tsv", "adapter")
    for name in ("single_gains", "pool_statistics", "pool_licences"):
        again(checkout, "table", f"tables/{name}")
    for name in ("single_gains", "pool_scores", "pool_statistics", "coefficients"):
        again(checkout, "figure", f"figures/{name}")
    again(checkout, "page", "pages/single_gains")
    again(checkout, "report", "report")
    return root / "report.html"


def rename(path, column):
    """Give every value of a column (but a blank one, which is no name) a harmful one."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    names = sorted({row[column] for row in rows if row[column]})
    given = {name: HOSTILE[place % len(HOSTILE)] + name for place, name in enumerate(names)}
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | {column: given.get(row[column], "")} for row in rows)


def again(checkout, script, log):
    """A finished job once more, by hand."""
    orders = RESULTS / "logs" / f"{log}.json"
    command = [sys.executable, f"scripts/{script}.py", str(orders)]
    done = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


async def tour(report, profile):
    """Open the report and every result in it; (text of the front page, path -> text of pages)."""
    async with chromium.page(profile) as page:
        await page.open(report.resolve().as_uri())
        await page.until("document.querySelector('.prose') !== null")
        front = await page.value("document.querySelector('.prose').innerText")
        top = await page.value("document.querySelector('.prose').getBoundingClientRect().top")
        assert top >= 0, "the report does not open at its head"
        results = json.loads(await page.value("JSON.stringify(results)"))
        for category in await page.value("Object.keys(categories)"):
            await page.value(f"app.showCategory({json.dumps(category)})")
            await page.until(f"document.body.innerText.includes({json.dumps(category)})")
        for path, result in results.items():
            if result["mime_type"].startswith("image/"):
                uri = f"results[{json.dumps(path)}].data_uri"
                await page.value(f"app.setView({{content: 'img', contentPath: {uri}}})")
                shown = "document.querySelector('.p-3 > img')"
                loaded = f"i.src === {uri} && i.complete && i.naturalWidth > 100"
                await page.until(f"(i => i && {loaded})({shown})")
        assert await page.value("document.title") == "Snakemake Report"
        pages = {}
        for path, result in results.items():
            if result["mime_type"] == "text/html":
                await page.open(result["data_uri"])
                assert await page.value("document.title") == "Table"
                odd = "document.querySelectorAll('script, img, svg, iframe, a, form').length"
                assert await page.value(odd) == 0
                pages[path] = await page.value("document.body.innerText")
        assert page.complaints == []
        return front, results, pages


@pytest.mark.parametrize(
    "harm",
    [
        "console.error('x')", "nothing()", "setTimeout(() => alert(1))",
        "new Image().src = 'http://192.0.2.1/'",
    ],
)  # fmt: skip
def test_harm_in_a_page_is_noticed(harm, tmp_path):
    (tmp_path / "page.html").write_text(f"<title>Table</title><script>{harm}</script>")

    async def visit():
        async with chromium.page(tmp_path / "profile") as page:
            await page.call("Page.enable")
            await page.open((tmp_path / "page.html").as_uri())
            await asyncio.sleep(0.3)
            await page.call("Page.getFrameTree")
            return page.complaints

    assert len(asyncio.run(visit())) >= 1


def test_the_report_opens_offline_on_its_front_page_and_every_result_loads(finished, tmp_path):
    root = finished.root / RESULTS
    report = root / "report.html"
    front, results, pages = asyncio.run(tour(report, tmp_path / "profile"))
    for claim in json.loads((root / "claims.json").read_text()):
        assert claim["statement"] in front
    for words in ("recycling/tiny, revision", "Versions", "Differences from the paper"):
        assert words in front
    figures = {Path(path).stem for path, one in results.items() if one["mime_type"] == "image/png"}
    assert figures == {path.stem for path in (root / "figures").glob("*.png")}
    assert {Path(path).stem for path in pages} == {path.stem for path in root.glob("tables/*.html")}


def test_names_that_mean_harm_stay_text(hostile, tmp_path):
    _, _, pages = asyncio.run(tour(hostile, tmp_path / "profile"))
    (gains,) = [text for path, text in pages.items() if path.endswith("single_gains.html")]
    assert any(words in gains for words in SHOWN)
    assert "\u202e" not in gains
