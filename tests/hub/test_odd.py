"""Every kind of odd adapter ends with its own reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub.adapters import ALIAS, World, reason
from tests.hub.odd import ODD

from recycling.hub.reasons import REASONS
from recycling.miniature.loopback import Loopback

Rows = dict[str, dict[str, str]]
LIMITS = {"config_bytes": 18_500, "weights_bytes": 50_000, "header_bytes": 30_000}


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rows, Path]]:
    """All odd adapters on one Hub, crawled and screened once."""
    root = tmp_path_factory.mktemp("odd")
    with Loopback(root / "hub", page=25) as hub:
        world = World(root / "hub", hub)
        for repo_id, (_, files, options) in ODD.items():
            world.add(repo_id, files, **options)
        rows = world.pool(root / "pool", aliases=[ALIAS], screening=LIMITS)
        yield rows, root / "pool"


@pytest.mark.parametrize("repo_id", ODD)
def test_odd_adapter(screened: tuple[Rows, Path], repo_id: str) -> None:
    rows, folder = screened
    row = rows[repo_id]
    assert reason(row) == ODD[repo_id][0], row["detail"]
    if reason(row) == "kept":
        assert (folder / row["folder"] / "adapter_model.safetensors").stat().st_size > 0
    else:
        assert row["folder"] == ""
        assert "\n" not in row["detail"]


def test_nothing_is_lost_and_only_kept_adapters_are_on_disk(screened: tuple[Rows, Path]) -> None:
    rows, folder = screened
    assert set(rows) == set(ODD)
    kept = {row["folder"] for row in rows.values() if reason(row) == "kept"}
    assert {f"adapters/{path.name}" for path in (folder / "adapters").iterdir()} == kept
    assert not (folder / ".partial").exists()


def test_the_catalogue_is_wide_enough() -> None:
    assert len(ODD) >= 60
    assert {verdict for verdict, _, _ in ODD.values()} <= {*REASONS, "kept"}
