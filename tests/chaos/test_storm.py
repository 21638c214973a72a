"""A short storm of tests.chaos; the long one is `python -m tests.chaos`, and docs/durability.md has what it gave."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_three_minutes_of_chaos_lose_and_invent_nothing_and_keep_the_order(tmp_path):
    command = [sys.executable, "-m", "tests.chaos", "--minutes", "3", "--faults", "45", "--seed", "7"]
    done = subprocess.run(
        [*command, "--keep", str(tmp_path / "storm")],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(done.stdout, done.stderr[-2000:])
    assert done.returncode == 0, (tmp_path / "storm" / "faults.log").read_text()
    assert "faults: 45" in done.stdout
