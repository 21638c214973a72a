"""Models that kill the daemon's process: who is blamed, and what is done about it."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from edgeinfer.app.crashes import Crashes, Death, suspects
from edgeinfer.engine.marker import Run
from edgeinfer.errors import InferenceLost
from edgeinfer.store import open_bundle
from edgeinfer.testing.clock import FakeClock
from tests.engine import tiny

DAY_NS = 24 * 3600 * 10**9

DYING = """
import os, signal, sys
from pathlib import Path
from edgeinfer.app.crashes import Crashes
from edgeinfer.clock import SystemClock
crashes = Crashes(Path(sys.argv[1]), SystemClock())
crashes.watch()
with crashes.marker.at(sys.argv[2] + " on cpu"):
    os.kill(os.getpid(), getattr(signal, sys.argv[3]))
"""


def die(folder, identity: str, of: str = "SIGABRT") -> None:
    """A process that is killed while that model is at work."""
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(folder), identity, of], capture_output=True, check=False
    )
    assert done.returncode < 0


def crashes(folder, clock=None) -> Crashes:
    from edgeinfer.clock import SystemClock

    return Crashes(folder, clock or SystemClock())


@pytest.fixture
def bundle(tmp_path):
    return open_bundle(tiny.colours(tmp_path / "colours"))


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


def test_a_model_may_crash_the_process_once(state, bundle) -> None:
    die(state, bundle.identity)
    assert crashes(state).allowed(bundle) == (bundle, "")


def test_after_the_second_crash_it_is_left_out_with_reason_and_way_out(state, bundle) -> None:
    die(state, bundle.identity)
    die(state, bundle.identity, "SIGSEGV")
    with pytest.raises(InferenceLost) as caught:
        crashes(state).allowed(bundle)
    assert f"{bundle.identity} has crashed this process 2 times within a day (Segmentation fault)" in str(
        caught.value
    )
    assert "isolate = true" in str(caught.value)


def test_a_start_without_a_crash_counts_nothing(state, bundle) -> None:
    die(state, bundle.identity)
    for _ in range(3):
        crashes(state).close()
    assert crashes(state).allowed(bundle) == (bundle, "")


@pytest.mark.parametrize("of", ["SIGKILL", "SIGTERM"])
def test_who_is_killed_from_outside_is_not_to_blame(state, bundle, of) -> None:
    for _ in range(3):
        die(state, bundle.identity, of)
    assert crashes(state).allowed(bundle) == (bundle, "")


def test_another_version_is_not_to_blame(state, bundle, tmp_path) -> None:
    die(state, bundle.identity)
    die(state, bundle.identity)
    other = open_bundle(tiny.colours(tmp_path / "other", ('version = "1"', 'version = "2"')))
    assert crashes(state).allowed(other) == (other, "")


def versions(root, *names: str) -> list:
    """Versions of one bundle in a store's folder, the last one in use."""
    made = []
    for name in names:
        folder = tiny.colours(root / "colours" / "draft", ('version = "1"', f'version = "{name}"'))
        digest = open_bundle(folder).identity.rpartition(":")[2]
        made.append(open_bundle(folder.rename(root / "colours" / digest)))
    used = [bundle.folder.name for bundle in made]
    (root / "colours" / "index.json").write_bytes(msgspec.json.encode({"versions": [], "used": used}))
    return made


def test_the_version_that_was_used_before_goes_on(state, tmp_path) -> None:
    old, new = versions(tmp_path / "models", "1", "2")
    die(state, new.identity)
    die(state, new.identity)
    found, said = crashes(state).allowed(new)
    assert found == old
    assert f"the version before it, {old.identity}, is used" in said


def test_a_version_before_that_crashes_as_well_is_no_way_out(state, tmp_path) -> None:
    old, new = versions(tmp_path / "models", "1", "2")
    for bundle in (old, old, new, new):
        die(state, bundle.identity)
    with pytest.raises(InferenceLost, match="it is left out"):
        crashes(state).allowed(new)


def test_deaths_are_forgotten_after_a_day(state, bundle) -> None:
    clock = FakeClock()
    now = clock.now().unix_ns
    for age_ns, left_out in ((DAY_NS - 10**9, True), (DAY_NS + 10**9, False)):
        deaths = [Death(bundle.identity, now - age_ns, "Aborted")] * 2
        (state / "deaths.json").write_bytes(msgspec.json.encode(deaths))
        if left_out:
            with pytest.raises(InferenceLost):
                crashes(state, clock).allowed(bundle)
        else:
            assert crashes(state, clock).allowed(bundle)[1] == ""


@pytest.mark.parametrize("left", [b"", b"{", b'[{"a": 1}]'])
def test_a_damaged_count_starts_anew(state, bundle, left) -> None:
    (state / "deaths.json").write_bytes(left)
    assert crashes(state).allowed(bundle)[1] == ""


TEXT = (
    "Fatal Python error: Aborted\n\nCurrent thread 0x0000000000000a01 (most recent call first):\n  File x\n"
)
WORKER = "Fatal Python error: Segmentation fault\n\nThread 0x0000000000000a01 (most recent call first):\n"


@pytest.mark.parametrize(
    ("text", "runs", "blamed"),
    [
        (TEXT, [Run("a", 0xA01, True), Run("b", 0xB, True)], ["a"]),
        (TEXT, [Run("a", 0xA01, False), Run("b", 0xB, True)], ["a"]),
        (TEXT, [Run("a", 0xC, False), Run("b", 0xB, True)], []),
        (WORKER, [Run("a", 0xA01, True), Run("b", 0xB, False)], ["a"]),
        (TEXT, [], []),
    ],
    ids=[
        "at work in the thread that crashed",
        "it ran there last",
        "another thread crashed",
        "a thread of the runtime",
        "nobody",
    ],
)
def test_who_is_blamed(text, runs, blamed) -> None:
    assert suspects(text, runs) == blamed
