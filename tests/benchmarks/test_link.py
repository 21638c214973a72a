"""The benchmark of the link reads what it wrote, whichever decoder it measures; its figures are for `python -m benchmarks.link`."""

from __future__ import annotations

import pytest
from cobs import cobs

from benchmarks import link
from firmware_bridge.framing import unstuff

DECODERS = pytest.mark.parametrize("decode", [unstuff, cobs.decode], ids=["python", "c"])


@DECODERS
@pytest.mark.parametrize("size", link.ROWS)
def test_every_frame_and_every_row_of_the_line_is_read(size, decode):
    reads = link.line(size, 0.05)
    count = int(0.05 * link.BYTES_PER_S / (size + 2))
    assert link.frames(reads, decode) == count
    assert link.samples(reads, decode) == count * link.ROWS[size]


@pytest.mark.parametrize("size", link.ROWS)
def test_the_line_is_as_long_as_it_says_and_a_third_zeros_before_stuffing(size):
    wire = b"".join(link.line(size, 0.05))
    assert len(wire) == pytest.approx(0.05 * link.BYTES_PER_S, rel=0.05)
    raw = b"".join(unstuff(part) for part in wire.split(b"\0") if part)
    assert 0.25 < raw.count(0) / len(raw) < 0.45


def test_a_damaged_frame_ends_it():
    with pytest.raises(SystemExit, match="was not read"):
        link.samples([b"\5\1\0"], unstuff)


def test_it_prints_share_ratio_and_bound(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["link", "0.05"])
    link.main()
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4
    assert all("ratio" in row and "bound 6 %" in row for row in said)
