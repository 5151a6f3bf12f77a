"""What an exhibit says of itself, and how a study finds its exhibits."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.plugins import load_file, locate
from recycling.study.study import Study

HERE = Path(__file__).resolve().parent
REPORTED = "resources/reported.tsv"

Files = Mapping[str, str | list[str]]  # name -> path, or several
Needs = Callable[[Study], Files]


def nothing(study: Study) -> dict[str, Any]:
    """No files, or no settings."""
    return {}


def runs(study: Study) -> Files:
    """The runs of the study."""
    return {"runs": f"{study.out}/runs.tsv"}


def runs_and_reported(study: Study) -> Files:
    """The runs of the study and the paper's reported figures."""
    return {**runs(study), "reported": REPORTED}


def cards(study: Study) -> Files:
    """What is known of each target task."""
    return {"cards": study.cards()}


def statistics(study: Study) -> dict[str, Any]:
    """How differences are judged."""
    return {"statistics": study.config["claims"]}


def statistics_and_paper(study: Study) -> dict[str, Any]:
    """How differences are judged, and which of the paper's studies this one replicates."""
    return {**statistics(study), "paper": study.config["paper"]}


@dataclass(frozen=True)
class Exhibit:
    """A table of the study, with its page and its figure.

    title, chapter: its place in the report. inputs, settings: what `rows` gets. data: the file
    that `rows` fills, below the study's results. figure_inputs: tables that the figure reads beside
    its own. figure_settings: further arguments of `draw`. included: whether a study has the
    exhibit. folder: where its files are; the loader fills it in.
    """

    title: str
    chapter: str
    inputs: Needs = nothing
    settings: Callable[[Study], Mapping[str, Any]] = nothing
    data: str = "tables/{name}.tsv"
    figure_inputs: Needs = nothing
    figure_settings: Callable[[Study], Mapping[str, Any]] = nothing
    included: Callable[[Study], bool] = lambda study: True
    folder: Path = Path()

    @property
    def name(self) -> str:
        return self.folder.name

    def data_file(self, study: Study) -> str:
        """The path of the exhibit's table."""
        return f"{study.out}/{self.data.format(name=self.name)}"

    def file(self, part: str, suffix: str = ".py") -> str:
        """The source of a "table", "page" or "figure", or its caption (".rst").

        Relative to the working directory if it is below, so that a study can be moved.
        """
        path = self.folder / f"{part}{suffix}"
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

    def has(self, part: str) -> bool:
        """Whether the exhibit has a "table", a "page" or a "figure"."""
        return (self.folder / f"{part}.py").is_file()


def find_exhibits(study: Study) -> dict[str, Exhibit]:
    """The exhibits that a study has, by name: this folder's, then those that its config names.

    Raises UserError if a named folder is no exhibit, or two exhibits share a name.
    """
    folders = sorted(path.parent for path in HERE.glob("*/exhibit.py"))
    exhibits: dict[str, Exhibit] = {}
    for folder in [*folders, *_named(study.config["exhibits"])]:
        if folder.name in exhibits:
            raise UserError(f"config: exhibits: {folder}: the name {folder.name!r} is taken")
        exhibits[folder.name] = replace(load_file(folder / "exhibit.py").EXHIBIT, folder=folder)
    return {name: exhibit for name, exhibit in exhibits.items() if exhibit.included(study)}


def _named(names: Iterable[str]) -> Iterator[Path]:
    """The folders that a study names: by their path, or as a dotted package."""
    for name in names:
        try:
            own = "." in name and not Path(name).exists()
            file = locate(f"{name}.exhibit" if own else f"{name}/exhibit.py", "recycling.exhibits")
        except UserError as error:
            raise UserError(f"config: exhibits: {error}") from None
        yield file.parent
