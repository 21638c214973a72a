"""Unfinished downloads: kept for who goes on with them, and not for ever."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from edgeinfer.store import parts
from edgeinfer.store.parts import KEPT_S, part_of

NOW_S = 2_000_000_000.0
DAY_S = 24 * 3600.0


def unfinished(root: Path, url: str, age_s: float, size: int = 10) -> Path:
    """As a download that broke off `age_s` ago leaves it."""
    with part_of(root, url, NOW_S) as part:
        part.write_bytes(bytes(size))
        part.with_name(f"{part.name}.of").write_text('"tag"')
    for path in root.glob(f".incoming/{part.name}*"):
        os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return part


def there(root: Path) -> list[str]:
    return sorted(p.name for p in (root / ".incoming").iterdir())


def fetched(root: Path) -> None:
    """Another download, that comes to its end."""
    with part_of(root, "http://other", NOW_S) as part:
        part.write_bytes(b"all")
        part.unlink()


def test_what_was_taken_leaves_nothing_behind(tmp_path) -> None:
    fetched(tmp_path)
    assert there(tmp_path) == []


def test_an_unfinished_one_is_there_for_the_next(tmp_path) -> None:
    part = unfinished(tmp_path, "http://a", DAY_S)
    fetched(tmp_path)
    with part_of(tmp_path, "http://a", NOW_S) as again:
        assert again == part
        assert again.read_bytes() == bytes(10)


def test_one_that_nobody_went_on_with_is_swept(tmp_path) -> None:
    unfinished(tmp_path, "http://a", KEPT_S + 1)
    young = unfinished(tmp_path, "http://b", DAY_S)
    fetched(tmp_path)
    assert there(tmp_path) == [young.name, f"{young.name}.lock", f"{young.name}.of"]


def test_the_oldest_go_when_all_together_are_too_much(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(parts, "KEPT_BYTES", 25)
    kept = [unfinished(tmp_path, f"http://{n}", n * DAY_S).name for n in (1, 2)]
    unfinished(tmp_path, "http://3", 3 * DAY_S)
    fetched(tmp_path)
    assert sorted(p.name for p in (tmp_path / ".incoming").glob("*.part")) == sorted(kept)


def test_the_one_that_is_asked_for_now_stays_however_old(tmp_path) -> None:
    unfinished(tmp_path, "http://a", 100 * KEPT_S)
    with part_of(tmp_path, "http://a", NOW_S) as part:
        assert part.exists()


def test_one_that_somebody_fetches_right_now_stays(tmp_path) -> None:
    unfinished(tmp_path, "http://a", 100 * KEPT_S)
    with part_of(tmp_path, "http://a", NOW_S) as part:
        fetched(tmp_path)
        assert part.exists()


def test_two_never_have_the_same_one(tmp_path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with part_of(tmp_path, "http://a", NOW_S):
            order.append("second")

    with part_of(tmp_path, "http://a", NOW_S) as part:
        part.write_bytes(b"x")
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait(10)
        order.append("first")
        part.unlink()  # done: its lock file goes as well, while the other waits for it
    thread.join(10)
    assert order == ["first", "second"]
