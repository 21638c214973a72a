"""One model, one backend, one number of threads, measured in a process of its own; draws and compares nothing.

`python -m edgeinfer.engine.bench` reads a Job as JSON on stdin and writes a Measured to the file descriptor it is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic_ns, perf_counter_ns
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.engine.opening import backend_of
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.process import ended
from edgeinfer.errors import EdgeinferError
from edgeinfer.ports import ModelFile, Session
from edgeinfer.tensors import TensorSpec

_EXTRA_S = 120.0  # for loading and the first invoke, beyond the time that was asked for
_SEED = 8
_WARM = 5  # invokes between the first and those that count
_MOST = 200_000


class Job(msgspec.Struct, frozen=True):
    """What is measured: `seconds` of invokes, one after the other.

    `options` has the backend's table, and whether it runs in a child of the measuring process (whose memory is not seen).
    """

    path: str
    backend: str
    threads: int
    seconds: float
    options: ModelOptions = ModelOptions(bundle="bench")


class Measured(msgspec.Struct, frozen=True):
    """Times in ms. `memory_mb`: what opening and running added to the process at its peak.

    `start_ns` and `end_ns` (CLOCK_MONOTONIC, which all processes share) are those of the counted invokes.
    """

    runtime: str
    load_ms: float
    first_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    count: int
    memory_mb: float
    start_ns: int
    end_ns: int
    operators: dict[str, int]  # nodes of the graph as it runs: DELEGATE is what a delegate took


class _Reply(msgspec.Struct, frozen=True):
    measured: Measured | None = None
    error: str = ""


def measure(job: Job) -> Measured:
    """Raises EdgeinferError with the reason when the backend does not open here, dies or hangs."""
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "edgeinfer.engine.bench", str(writer)]
    try:
        done = subprocess.run(
            command,
            input=msgspec.json.encode(job),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writer,),
            timeout=job.seconds + _EXTRA_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        os.close(writer)
        os.close(reader)
        raise EdgeinferError(f"{job.path}: the runtime hangs ({job.seconds + _EXTRA_S:.0f} s)") from error
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        raw = file.read()
    if done.returncode or not raw:
        raise EdgeinferError(f"{job.path}: the runtime {ended(done.returncode)} while it was measured")
    reply = msgspec.json.decode(raw, type=_Reply)
    if reply.measured is None:
        raise EdgeinferError(reply.error)
    return reply.measured


def _measured(job: Job) -> Measured:
    before = _memory_kb("VmRSS")
    start = perf_counter_ns()
    session = _opened(job)
    load_ns = perf_counter_ns() - start
    inputs = {t.name: _filled(t) for t in session.spec.inputs}
    first_ns = _timed(session, inputs)
    for _ in range(_WARM):
        session.infer(inputs)
    begin = monotonic_ns()
    times = _many(session, inputs, job.seconds)
    end = monotonic_ns()
    p50, p90, p99 = (float(v) / 1e6 for v in np.percentile(times, (50, 90, 99)))
    return Measured(
        runtime=session.runtime,
        load_ms=load_ns / 1e6,
        first_ms=first_ns / 1e6,
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        mean_ms=float(np.mean(times)) / 1e6,
        count=len(times),
        memory_mb=max(0, _memory_kb("VmHWM") - before) / 1024,
        start_ns=begin,
        end_ns=end,
        operators=_operators(session),
    )


def _opened(job: Job) -> Session:
    """Here, where the process is the model's own already, unless something else was asked for."""
    options = job.options
    file = ModelFile(job.path, "", job.threads, bool(options.isolate), python=options.python)
    return backend_of(job.backend, options).open(file)


def _timed(session: Session, inputs: dict[str, NDArray[Any]]) -> int:
    start = perf_counter_ns()
    session.infer(inputs)
    return perf_counter_ns() - start


def _many(session: Session, inputs: dict[str, NDArray[Any]], seconds: float) -> NDArray[np.int64]:
    until, times = perf_counter_ns() + int(seconds * 1e9), [_timed(session, inputs)]
    while perf_counter_ns() < until and len(times) < _MOST:
        times.append(_timed(session, inputs))
    return np.array(times, np.int64)


def _filled(tensor: TensorSpec) -> NDArray[Any]:
    """Seeded noise over the whole range of the dtype: zeros would flatter sparse kernels."""
    rng, shape = np.random.default_rng(_SEED), tuple(max(n, 1) for n in tensor.shape)
    dtype = np.dtype(tensor.dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    return rng.random(shape).astype(dtype)


def _operators(session: Session) -> dict[str, int]:
    """Where the runtime tells; a session in a child of its own does not."""
    tell = getattr(session, "operators", None)
    return dict(tell()) if tell else {}


def _memory_kb(key: str) -> int:
    """proc(5): VmRSS is what the process holds now, VmHWM its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def _main(writer: int) -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        reply = _Reply(measured=_measured(job))
    except EdgeinferError as error:
        reply = _Reply(error=str(error))
    os.write(writer, msgspec.json.encode(reply))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
    os._exit(0)
