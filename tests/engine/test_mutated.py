"""A thousand damaged model files: each is refused or run, and nobody who asks about them dies."""

from __future__ import annotations

import random
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeinfer.engine.bounds import check
from edgeinfer.engine.describe import Describer
from edgeinfer.errors import BundleError
from edgeinfer.store.flatbuffer import Damaged
from tests.engine import tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
COUNT = 1000


def bases() -> list[bytes]:
    models = [ROOT / f"models/{name}/{name}_int8.tflite" for name in ("vibration", "parts")]
    return [tiny.softmax().pack(), tiny.echo().pack(), *(m.read_bytes() for m in models)]


def mutated(seed: int = 8) -> Iterator[tuple[str, bytes]]:
    """Truncations, flips of bits and bytes, lengths swapped with other numbers: the same for the same seed."""
    chance, wholes = random.Random(seed), bases()
    for i in range(COUNT):
        data, kind = bytearray(wholes[i % len(wholes)]), ("cut", "flip", "swap")[i // len(wholes) % 3]
        if kind == "cut":
            del data[chance.randrange(1, len(data)) :]
        elif kind == "flip":
            for _ in range(chance.choice((1, 4, 32))):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        else:
            for _ in range(chance.choice((1, 3))):
                a, b = (4 * chance.randrange(len(data) // 4) for _ in range(2))
                value = chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, struct.unpack_from("<I", data, b)[0]))
                struct.pack_into("<I", data, a, value)
        yield kind, bytes(data)


def outcomes(python: Path, tmp_path: Path) -> Counter[str]:
    """What became of them: refused (by us, by the runtime, by its death) or run."""
    seen: Counter[str] = Counter()
    path = tmp_path / "m.tflite"
    with Describer(20.0, python) as describer:
        for _, data in mutated():
            path.write_bytes(data)
            try:
                facts = describer.facts(path)
                seen["not run" if facts.trial else "run"] += 1
            except BundleError as error:
                told = str(error)
                seen["crash" if "died of" in told else "refused" if str(path) in told else "no word"] += 1
        describer.facts(tiny.softmax().save(path))
    return seen


def test_a_thousand_mutated_files_kill_nobody_who_asks(tmp_path: Path) -> None:
    seen = outcomes(Path(sys.executable), tmp_path)
    print(dict(seen))
    assert sum(seen.values()) == COUNT
    assert "no word" not in seen
    assert seen["refused"] > 300
    assert seen["run"] > 100


def test_a_thousand_mutated_files_kill_nobody_who_asks_the_older_runtime(
    old_runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    seen = outcomes(old_runtime, tmp_path)
    print(dict(seen))
    assert sum(seen.values()) == COUNT
    assert "no word" not in seen
    assert seen["refused"] > 300
    assert seen["run"] > 100


def test_the_verifier_alone_gives_a_verdict_on_each() -> None:
    seen: Counter[str] = Counter()
    for kind, data in mutated():
        try:
            check(bytes(data))
            seen[f"{kind} passed"] += 1
        except Damaged:
            seen[f"{kind} refused"] += 1
    assert seen["cut refused"] > 0.9 * (seen["cut refused"] + seen["cut passed"])
