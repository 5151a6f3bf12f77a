"""Pages of the site that lie outside docs/, and links from pages to files of the repository.

MkDocs calls `on_files` and `on_page_markdown`. Links are written for the repository and stay valid
there; the site gets each file that a page links to, and links that fit it.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r'(?P<before>\]\(|\b(?:src|href)=")(?P<target>[^)"#\s:]+)(?P<after>[#)"])')


def on_files(files: Files, config: Any) -> Files:
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    for page in list(files.documentation_pages()):
        source = source_of(page.src_uri)
        for link in LINK.finditer((ROOT / source).read_text(encoding="utf-8")):
            path = repository_path(source, link["target"])
            if (ROOT / path).is_file() and files.get_file_from_path(site_path(path)) is None:
                extra = File.generated(config, site_path(path), abs_src_path=str(ROOT / path))
                files.append(extra)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    source = source_of(page.file.src_uri)

    def rewritten(link: re.Match[str]) -> str:
        path = repository_path(source, link["target"])
        if not (ROOT / path).is_file():
            return link[0]
        target = posixpath.relpath(site_path(path), posixpath.dirname(page.file.src_uri) or ".")
        return link["before"] + target + link["after"]

    return LINK.sub(rewritten, markdown)


def source_of(page: str) -> str:
    """The file of the repository that a page of the site is made from."""
    return {site: source for source, site in PAGES.items()}.get(page, f"docs/{page}")


def repository_path(source: str, target: str) -> str:
    """The path from the root of the repository that a link of the file `source` leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def site_path(path: str) -> str:
    """Where the site has a file of the repository."""
    return PAGES.get(path) or path.removeprefix("docs/")
