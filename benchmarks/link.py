"""What it costs to read 12 Mbit/s of edgelink, in pure Python against the C package `cobs` in the same run.

`python -m benchmarks.link [SECONDS_OF_LINE]`; CPU time of one thread, best of seven. Frames of two sizes: 61 bytes, as
a small node sends them, and 499, blocks of 80 rows of three axes; in reads of 4096 bytes, as a port gives them. The
signal is noise around zero, so that every third byte of it is a zero, which is what COBS costs.
`frames`: COBS, CRC, header. `samples`: that, the message, and its rows as an array of numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time

import numpy as np
from cobs import cobs

from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Fault, Frame, unstuff

BYTES_PER_S = 1_200_000  # 12 Mbit/s; a byte is ten bits on the line
READ = 4096
BOUND = 0.06
SIGMA = 120.0  # raw units
ROWS = {61: 7, 499: 80}  # of three i16, by the size of the decoded frame
Decode = Callable[[bytes], bytes]


def line(size: int, seconds: float) -> list[bytes]:
    """What a port gives in so many seconds: frames of about `size` bytes that hold noise, in pieces."""
    draw, rows = np.random.default_rng(0), ROWS[size]
    count = int(seconds * BYTES_PER_S / (size + 2))
    signal = draw.normal(0, SIGMA, (count, 3 * rows)).astype("<i2")
    frames = (m.frame(m.Readings(0, n, n, rows, signal[n].tobytes()), n) for n in range(count))
    wire = b"".join(frames)
    return [wire[at : at + READ] for at in range(0, len(wire), READ)]


def frames(reads: list[bytes], decode: Decode) -> int:
    """How many frames there were."""
    deframer = Deframer(decode=decode)
    return sum(len(deframer.feed(read)) for read in reads)


def samples(reads: list[bytes], decode: Decode) -> int:
    """How many rows there were; a damaged frame ends the benchmark."""
    deframer, rows = Deframer(decode=decode), 0
    for read in reads:
        for frame in deframer.feed(read):
            rows += len(_values(frame))
    return rows


def _values(frame: Frame | Fault) -> np.ndarray:
    if isinstance(frame, Fault):
        raise SystemExit(f"a frame of the benchmark's own was not read: {frame}")
    message = m.parse(frame)
    if not isinstance(message, m.Readings):
        raise SystemExit(f"not a block of readings: {message}")
    return np.frombuffer(message.values, "<i2").reshape(message.rows, -1)


def cost_s(work: Callable[[list[bytes], Decode], int], reads: list[bytes], decode: Decode) -> float:
    best = float("inf")
    for _ in range(7):
        start = process_time()
        work(reads, decode)
        best = min(best, process_time() - start)
    return best


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    for size in ROWS:
        reads = line(size, seconds)
        seconds_sent = sum(map(len, reads)) / BYTES_PER_S
        for work in (frames, samples):
            ours, theirs = (cost_s(work, reads, decode) / seconds_sent for decode in (unstuff, cobs.decode))
            held = "held" if ours <= BOUND else "MISSED"
            print(
                f"{size:4} bytes  {work.__name__:8} pure Python {100 * ours:5.2f} % of a core, C cobs {100 * theirs:5.2f} %, "
                f"ratio {ours / theirs:.2f}; bound {100 * BOUND:.0f} %: {held}"
            )


if __name__ == "__main__":
    main()
