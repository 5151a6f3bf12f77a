"""The loopback Hub, used by the real client libraries."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi, errors, hf_hub_download, snapshot_download
from huggingface_hub.utils import disable_progress_bars
from tests.hub.adapters import World, adapter

from recycling.errors import UserError
from recycling.hub.endpoint import hub_endpoint
from recycling.miniature.faults import Fault
from recycling.miniature.loopback import Loopback, add_repo

disable_progress_bars()
ROWS = "".join(json.dumps({"text": f"t{n}", "label": n % 2}) + "\n" for n in range(20)).encode()


def test_a_commit_depends_on_content_alone(tmp_path: Path) -> None:
    files = {"b.txt": b"2", "a.txt": b"1"}
    shas = {add_repo(tmp_path / name, "model", "o/m", files, downloads=5) for name in "xy"}
    shas.add(add_repo(tmp_path / "x", "model", "o/m", dict(sorted(files.items())), downloads=6))
    assert len(shas) == 1
    (sha,) = shas
    assert len(sha) == 40 and int(sha, 16)
    assert add_repo(tmp_path / "x", "model", "o/m", {"a.txt": b"3"}) != sha
    assert add_repo(tmp_path / "x", "model", "o/n", files) != sha


def test_a_folder_is_laid_out_like_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "f" / "sub").mkdir(parents=True)
    (tmp_path / "f" / "sub" / "a.txt").write_bytes(b"1")
    (tmp_path / "f" / "b.txt").write_bytes(b"2")
    mapping = {"sub/a.txt": b"1", "b.txt": b"2"}
    sha = add_repo(tmp_path / "1", "model", "o/m", tmp_path / "f")
    assert sha == add_repo(tmp_path / "2", "model", "o/m", mapping)


def test_listing_pages_and_filters(tmp_path: Path) -> None:
    root = tmp_path / "hub"
    for number in range(23):
        tags = ["even"] if number % 2 == 0 else []
        add_repo(root, "model", f"o{number % 2}/m{number:02}", {}, tags=tags, license="mit")
    add_repo(root, "model", "o0/hidden", {}, private=True, license="mit")
    with Loopback(root, page=4, token="secret") as hub:
        api = HfApi(endpoint=hub.url, token=False)
        assert len(list(api.list_models(filter="license:mit"))) == 23
        assert len(hub.requests) == 6
        even = [info.id for info in api.list_models(filter=["even", "license:mit"])]
        assert even == [f"o0/m{n:02}" for n in range(0, 23, 2)]
        assert len(list(api.list_models(author="o1"))) == 11
        assert len(list(api.list_models(limit=3))) == 3
        mine = HfApi(endpoint=hub.url, token="secret").list_models(author="o0")
        assert "o0/hidden" in [info.id for info in mine]


def test_information_files_and_earlier_commits(world: World) -> None:
    old = world.add("a/b", adapter(1))
    new = world.add("a/b", adapter(2))
    api = HfApi(endpoint=world.hub.url, token=False)
    info = api.model_info("a/b", files_metadata=True)
    assert info.sha == new and info.card_data is not None and info.card_data.license == "mit"
    sizes = {sibling.rfilename: sibling.size for sibling in info.siblings or ()}
    assert sizes == {name: len(content) for name, content in adapter(2).items()}
    assert api.model_info("a/b", revision=old).sha == old
    assert api.list_repo_files("a/b", revision=old) == sorted(adapter(1))
    assert [ref.target_commit for ref in api.list_repo_refs("a/b").branches] == [new]
    (path,) = api.get_paths_info("a/b", ["README.md"])
    assert path.size == len(adapter(1)["README.md"])


def test_trees_list_folders(world: World) -> None:
    add_repo(world.root, "dataset", "o/d", {"x/y/z.txt": b"1", "x/w.txt": b"2", "v.txt": b"3"})
    api = HfApi(endpoint=world.hub.url, token=False)
    flat = api.list_repo_tree("o/d", repo_type="dataset")
    assert sorted(entry.path for entry in flat) == ["v.txt", "x"]
    below = api.list_repo_tree("o/d", "x", repo_type="dataset")
    assert sorted(entry.path for entry in below) == ["x/w.txt", "x/y"]
    deep = api.list_repo_tree("o/d", repo_type="dataset", recursive=True)
    assert sorted(entry.path for entry in deep) == ["v.txt", "x", "x/w.txt", "x/y", "x/y/z.txt"]


def test_downloads_and_their_errors(world: World, tmp_path: Path) -> None:
    sha = world.add("a/b", adapter(1))
    world.add("a/gated", gated="manual")
    world.add("a/lost", missing=True)
    cache = {"endpoint": world.hub.url, "cache_dir": tmp_path / "cache", "token": False}
    path = hf_hub_download("a/b", "adapter_model.safetensors", revision=sha, **cache)
    assert Path(path).read_bytes() == adapter(1)["adapter_model.safetensors"]
    folder = snapshot_download("a/b", **cache)
    assert sorted(os.listdir(folder)) == sorted(adapter(1))
    world.hub.requests.clear()
    hf_hub_download("a/b", "adapter_model.safetensors", revision=sha, **cache)
    assert world.hub.requests == []
    for repo_id, file, revision, error in (
        ("a/lost", "README.md", "main", errors.RepositoryNotFoundError),
        ("a/gated", "README.md", "main", errors.GatedRepoError),
        ("a/b", "nothing.txt", "main", errors.RemoteEntryNotFoundError),
        ("a/b", "README.md", "1" * 40, errors.RevisionNotFoundError),
    ):
        with pytest.raises(error):
            hf_hub_download(repo_id, file, revision=revision, **cache)
    listed = HfApi(endpoint=world.hub.url, token=False).list_models(author="a")
    assert [info.id for info in listed] == ["a/b", "a/gated", "a/lost"]


@pytest.mark.parametrize(
    ("header", "status", "body"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("", 200, b"0123456789"),
    ],
)
def test_ranges(world: World, header: str, status: int, body: bytes) -> None:
    import httpx2

    sha = add_repo(world.root, "model", "a/b", {"x.bin": b"0123456789"})
    url = f"{world.hub.url}/a/b/resolve/{sha}/x.bin"
    response = httpx2.get(url, headers={"Range": header} if header else {})
    assert (response.status_code, response.content) == (status, body)


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no Hub library had been imported yet."""
    monkeypatch.delitem(sys.modules, "huggingface_hub.constants")


@pytest.mark.usefixtures("early")
def test_the_command_serves_until_its_input_closes(tmp_path: Path) -> None:
    add_repo(tmp_path, "model", "o/m", {"a.txt": b"1"})
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"action": "status", "match": "a.txt", "status": 418}]))
    command = ["python", "scripts/loopback_hub.py", str(tmp_path), "--faults", str(faults)]
    with hub_endpoint({"server": command}) as url:
        import httpx2

        assert os.environ["HF_ENDPOINT"] == url
        assert httpx2.get(f"{url}/o/m/resolve/main/a.txt").status_code == 418
        assert httpx2.get(f"{url}/o/m/resolve/main/a.txt").content == b"1"
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/o/m/resolve/main/a.txt")


@pytest.mark.usefixtures("early")
def test_the_environment_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", "/mine")
    before = dict(os.environ)
    command = ["python", "scripts/loopback_hub.py", str(tmp_path)]
    with hub_endpoint({"server": command}):
        assert "HF_HUB_OFFLINE" not in os.environ
        home = os.environ["HF_HOME"]
        assert Path(home).is_dir() and home != "/mine"
    assert dict(os.environ) == before
    assert not Path(home).exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"server": ["/no/such/command"]}, "cannot start"),
        ({"server": ["python", "-c", "print('hello')"]}, "instead of its URL"),
        ({"server": ["python", "-c", ""]}, "instead of its URL"),
        ({"endpoint": "ftp://hub"}, "ftp://hub"),
    ],
)
def test_a_hub_that_does_not_start_is_reported(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message), hub_endpoint(settings):
        pass


def test_a_late_choice_of_endpoint_is_a_mistake() -> None:
    settings = {"endpoint": "http://x.y"}
    with pytest.raises(RuntimeError, match=r"http://x\.y"), hub_endpoint(settings):
        pass


REAL = """
import sys
from pathlib import Path
sys.path.insert(0, "scripts")
from recycling.hub.endpoint import hub_endpoint
with hub_endpoint({"server": ["python", "scripts/loopback_hub.py", sys.argv[1]]}):
    import datasets
    from transformers import AutoModelForCausalLM, AutoTokenizer
    datasets.config.USE_PARQUET_EXPORT = False
    for revision in (sys.argv[2], None):
        model = AutoModelForCausalLM.from_pretrained("small/base", revision=revision)
        tokenizer = AutoTokenizer.from_pretrained("small/base", revision=revision)
        data = datasets.load_dataset("small/data", data_files={"train": "data/train-*"})
    import httpx2
    from huggingface_hub.utils import build_hf_headers
    assert "authorization" not in build_hf_headers()
    try:
        httpx2.get("http://192.0.2.1/", timeout=60)
    except httpx2.ConnectError:
        pass  # refused at once, not timed out: the request went nowhere
    print(model.num_parameters(), tokenizer("a b")["input_ids"], data["train"].num_rows)
"""


@pytest.mark.slow
def test_transformers_and_datasets_load_from_it(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=4,
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
        )
    )
    model.save_pretrained(tmp_path / "base")
    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "<unk>": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    tokenizer.save_pretrained(tmp_path / "base")
    sha = add_repo(tmp_path / "hub", "model", "small/base", tmp_path / "base")
    files = {"data/train-0.jsonl": ROWS, "data/train-1.jsonl": ROWS, "README.md": b"---\n---\n"}
    add_repo(tmp_path / "hub", "dataset", "small/data", files)
    result = subprocess.run(
        [sys.executable, "-c", REAL, str(tmp_path / "hub"), sha],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_TOKEN": "hf_mine"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.split("\n")[-2] == f"{model.num_parameters()} [0, 1] 40"


def test_faults_count_the_requests_they_hit() -> None:
    fault = Fault("status", match="GET /x", times=2, after=1)
    hits = [fault.hits(line) for line in ["GET /y", "GET /x", "GET /x", "GET /x", "GET /x"]]
    assert hits == [False, False, True, True, False]
    assert fault.met == 2
