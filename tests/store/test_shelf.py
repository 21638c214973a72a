"""The store: versions, what is used, and what a kill, a full disk or a second writer leaves."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.errors import BundleError, EdgeinferError
from edgeinfer.store import find_bundle
from edgeinfer.store.draft import draft
from edgeinfer.store.shelf import Shelf
from tests.engine import tiny
from tests.fixtures.disks import fill_up


def put(root: Path, version: str = "1", *, use: bool = False, padding: str = "") -> str:
    """Adds the tests' bundle as `version`; the digest that it lies under."""
    with draft(root) as folder:
        if padding:
            (folder / "CARD.md").write_text(padding)
        tiny.colours(folder, ('version = "1"', f'version = "{version}"'))
        bundle, _ = Shelf(root).place(folder, use=use)
    return bundle.folder.name


def state(root: Path) -> list[tuple[str, str, int]]:
    """Everything that the store holds, but its locks."""
    return sorted(
        (str(p.relative_to(root)), p.read_bytes().hex()[:64], p.stat().st_size)
        for p in root.rglob("*")
        if p.is_file() and p.name != ".lock"
    )


def test_the_first_version_is_used_and_the_second_waits(tmp_path: Path) -> None:
    root = tmp_path / "models"
    first, second = put(root), put(root, "2")
    entry = Shelf(root).entry("colours")
    assert [v.version for v in entry.index.versions] == ["1", "2"]
    assert entry.index.current == first != second
    assert find_bundle("colours", tmp_path) == root / "colours" / first


def test_a_version_is_found_by_name_and_by_digest(tmp_path: Path) -> None:
    put(tmp_path / "models")
    second = put(tmp_path / "models", "2")
    assert find_bundle("colours@2", tmp_path).name == second
    assert find_bundle(f"colours@{second[:8]}", tmp_path).name == second
    with pytest.raises(BundleError, match="there is no version '3'"):
        find_bundle("colours@3", tmp_path)


def test_use_and_rollback_go_there_and_back(tmp_path: Path) -> None:
    root, shelf = tmp_path / "models", Shelf(tmp_path / "models")
    put(root), put(root, "2"), put(root, "3")
    shelf.use("colours", "2")
    shelf.use("colours", "3")
    assert shelf.rollback("colours").version == "2"
    assert shelf.rollback("colours").version == "1"
    with pytest.raises(BundleError, match="nothing to go back to"):
        shelf.rollback("colours")


def test_the_same_bundle_again_is_no_new_version(tmp_path: Path) -> None:
    put(tmp_path), put(tmp_path)
    assert len(Shelf(tmp_path).entry("colours").index.versions) == 1


def test_the_version_in_use_is_not_removed(tmp_path: Path) -> None:
    first, second = put(tmp_path), put(tmp_path, "2")
    shelf = Shelf(tmp_path)
    with pytest.raises(BundleError, match="is the version that is used"):
        shelf.remove("colours", "1")
    shelf.remove("colours", "2")
    assert (tmp_path / "colours" / first).exists()
    assert not (tmp_path / "colours" / second).exists()


def test_a_rollback_never_lands_on_a_removed_version(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    put(tmp_path), put(tmp_path, "2"), put(tmp_path, "3")
    shelf.use("colours", "2")
    shelf.use("colours", "3")
    shelf.remove("colours", "2")
    assert shelf.rollback("colours").version == "1"


def test_a_removed_name_is_gone_from_the_store(tmp_path: Path) -> None:
    put(tmp_path), put(tmp_path, "2")
    assert len(Shelf(tmp_path).remove("colours")) == 2
    assert Shelf(tmp_path).entries() == []


def test_a_damaged_version_is_not_taken_into_use(tmp_path: Path) -> None:
    put(tmp_path)
    second = put(tmp_path, "2")
    (tmp_path / "colours" / second / "labels.txt").write_text("x\n")
    with pytest.raises(BundleError, match="is not the file"):
        Shelf(tmp_path).use("colours", "2")
    assert Shelf(tmp_path).entry("colours").index.current != second


def test_a_folder_copied_by_hand_keeps_its_place(tmp_path: Path) -> None:
    tiny.colours(tmp_path / "colours")
    with pytest.raises(BundleError, match="was copied here by hand"):
        put(tmp_path, "2")
    assert Shelf(tmp_path).entry("colours").loose


def test_two_versions_of_one_name_are_told_apart_by_digest(tmp_path: Path) -> None:
    put(tmp_path)
    other = put(tmp_path, padding="another card")
    with pytest.raises(BundleError, match="name the digest"):
        Shelf(tmp_path).use("colours", "1")
    Shelf(tmp_path).use("colours", other)


def test_numbers_of_versions_go_on(tmp_path: Path) -> None:
    assert Shelf(tmp_path).next_version("colours") == "1"
    put(tmp_path), put(tmp_path, "7"), put(tmp_path, "beta")
    assert Shelf(tmp_path).next_version("colours") == "8"


def test_a_damaged_index_is_told_and_not_overwritten(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "colours" / "index.json").write_text("{")
    with pytest.raises(BundleError, match="index.json: is damaged"):
        put(tmp_path, "2")
    assert (tmp_path / "colours" / "index.json").read_text() == "{"


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.store.test_shelf import put
left = int(sys.argv[2])
def watch(event, arguments):
    global left
    if event in {"open", "os.rename", "os.mkdir", "os.chmod"} and sys.argv[1] in str(arguments):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
put(Path(sys.argv[1]), "2")
"""


@pytest.mark.slow
def test_kill_9_at_any_step_leaves_the_store_as_it_was_or_with_the_whole_new_version(tmp_path: Path) -> None:
    root = tmp_path / "models"
    first = put(root)
    deaths, seen = 0, set()
    for step in range(100):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(root), str(step)], cwd=Path(__file__).parents[2], check=False
        )
        entry = Shelf(root).entry("colours")
        seen.add(tuple(v.version for v in entry.index.versions))
        assert entry.index.current == first
        assert find_bundle("colours", tmp_path).name == first
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        deaths += 1
    assert deaths > 10
    assert seen == {("1",), ("1", "2")}
    put(root, "3")  # the next one sweeps what the dead left
    assert not [p for p in (root / ".incoming").iterdir() if p.is_dir()]
    folders = {p.name for p in (root / "colours").iterdir() if p.is_dir()}
    assert folders == {v.digest for v in Shelf(root).entry("colours").index.versions}


def test_a_full_disk_leaves_the_store_unchanged(small_disk) -> None:
    root = small_disk(512) / "models"
    put(root)
    before = state(root)
    fill_up(root.parent)
    with pytest.raises(EdgeinferError, match="No space left on device; the store is unchanged"):
        put(root, "2", padding="x" * 100_000)
    assert state(root) == before
    assert Shelf(root).entry("colours").index.current


def _put_many(root: Path, who: int) -> None:
    for i in range(8):
        put(root, f"{who}.{i}")


def test_many_adds_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put_many, args=(tmp_path, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert len(Shelf(tmp_path).entry("colours").index.versions) == 16


def test_a_store_that_may_not_be_written_says_what_to_do(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "models").write_text("a file where the store should be")
        with pytest.raises(EdgeinferError, match="the store .*models"):
            put(tmp_path / "models")
        return
    tmp_path.chmod(0o500)
    with pytest.raises(EdgeinferError, match="write access is refused"):
        put(tmp_path / "models")
