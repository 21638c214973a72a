"""What a .tflite file holds and whether it runs: read and tried in a throw-away process, for it may be damaged.

`python -m edgeinfer.engine.describe REPLY_FD` takes a path a line on stdin and answers a line of JSON each;
`describe(path)` asks it about one file, a `Describer` about many.
"""

from __future__ import annotations

import os
import resource
import select
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import numpy as np

from edgeinfer.engine import bounds
from edgeinfer.engine.process import ended
from edgeinfer.engine.runtimes import find_runtime
from edgeinfer.errors import BundleError
from edgeinfer.store.metadata import embedded_texts
from edgeinfer.tensors import ModelSpec

_LIMIT_S = 60.0
_MEMORY_MAX = 4 << 30  # bytes of address space: a damaged shape must not ask for all that the board has
_OOM_FIRST = "1000"  # proc(5), oom_score_adj: when memory runs out, it is the child that goes


class ModelFacts(msgspec.Struct, frozen=True):
    """All that a file tells. `embedded` maps the files of TFLite metadata (a zip at its end) to their lines.

    `trial` is "" when a first invoke, all inputs zero and no delegate, went well; else what the runtime said.
    """

    file: str
    size_bytes: int
    runtime: str
    spec: ModelSpec
    operators: dict[str, int]
    embedded: dict[str, list[str]]
    trial: str = ""


class _Answer(msgspec.Struct, frozen=True):
    """Of the child: the facts, or why the runtime refused the file."""

    facts: ModelFacts | None = None
    refused: str = ""


def describe(path: Path) -> ModelFacts:
    """Reads and tries `path` in a child process.

    Raises:
        BundleError: it is missing or out of bounds, or the runtime refuses it, dies of it or hangs on it.
        InputError: no runtime is installed.
    """
    with Describer() as describer:
        return describer.facts(path)


class Describer:
    """A child that looks into one file after another; a new one when a file killed it."""

    def __init__(self, limit_s: float = _LIMIT_S, python: Path | None = None) -> None:
        self._limit_s, self._python = limit_s, python or Path(sys.executable)
        self._process: subprocess.Popen[bytes] | None = None
        self._reply = -1
        self.deaths = 0  # of children

    def __enter__(self) -> Describer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def facts(self, path: Path) -> ModelFacts:
        """As `describe`."""
        if not path.is_file():
            raise BundleError(f"{path}: there is no such file; expected a .tflite file or a bundle's folder")
        bounds.check_file(path)
        if self._python == Path(sys.executable):
            find_runtime()
        answer = msgspec.json.decode(self._ask(path), type=_Answer)
        if answer.facts is None:
            raise BundleError(f"{path}: is damaged or no TFLite model: {answer.refused}")
        return answer.facts

    def _ask(self, path: Path) -> bytes:
        process = self._running()
        try:
            os.write(process.stdin.fileno(), msgspec.json.encode(str(path.absolute())) + b"\n")  # type: ignore[union-attr]  # it is a pipe
            reply = self._line()
        except BrokenPipeError:
            reply = b""
        except TimeoutError:
            self._end()
            raise BundleError(
                f"{path}: the runtime hangs on it (nothing after {self._limit_s:.0f} s)"
            ) from None
        if not reply.endswith(b"\n"):
            code = process.wait()
            self._end()
            raise BundleError(
                f"{path}: the runtime {ended(code)} while it opened and tried the file: it is damaged, or "
                "made for another runtime"
            )
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._reply, theirs = os.pipe()
            command = [str(self._python), "-m", "edgeinfer.engine.describe", str(theirs)]
            try:  # what a runtime prints is of no use to anybody: it comes on stderr for each damaged file
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs,),
                    cwd="/",
                )
            finally:
                os.close(theirs)
        return self._process

    def _line(self) -> bytes:
        parts: list[bytes] = []
        while not (parts and parts[-1].endswith(b"\n")):
            if not select.select([self._reply], [], [], self._limit_s)[0]:
                raise TimeoutError
            part = os.read(self._reply, 1 << 16)
            if not part:
                break
            parts.append(part)
        return b"".join(parts)

    def _end(self) -> None:
        if self._process is None:
            return
        self.deaths += self._process.poll() is not None
        self._process.kill()
        with suppress(BrokenPipeError):
            self._process.communicate()
        os.close(self._reply)
        self._process = None


def _facts(path: Path) -> ModelFacts:
    """Without delegates, so that the operators are those of the file."""
    from edgeinfer.engine.tflite import read_spec

    runtime = find_runtime()
    module = runtime.interpreter()
    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = module.Interpreter(model_path=str(path), experimental_op_resolver_type=plain)
    names = Counter(op["op_name"] for op in interpreter._get_ops_details())  # noqa: SLF001  nothing public tells it
    spec, size = read_spec(interpreter), path.stat().st_size
    trial = _trial(interpreter)
    if not trial:
        spec = read_spec(interpreter)  # some shapes are known only after an invoke
    return ModelFacts(str(path), size, str(runtime), spec, dict(names.most_common()), embedded(path), trial)


def _trial(interpreter: Any) -> str:
    try:
        interpreter.allocate_tensors()
        for tensor in interpreter.get_input_details():
            interpreter.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
        interpreter.invoke()
    except (ValueError, RuntimeError, SystemError, MemoryError, TypeError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def embedded(path: Path) -> dict[str, list[str]]:
    """The text files of the zip at the end of `path`; {} where there is none, or one that `read_metadata` refuses."""
    try:
        return {name: text.split("\n") for name, text in embedded_texts(path, []).items()}
    except BundleError:
        return {}


def _answer(path: Path) -> _Answer:
    try:
        return _Answer(facts=_facts(path))
    except (ValueError, RuntimeError, SystemError, MemoryError) as error:
        return _Answer(refused=" ".join(str(error).split()) or type(error).__name__)


def _confine() -> None:
    """Less memory than the machine has, no core file, and the first to go when memory runs out."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_FIRST)


def _main(arguments: list[str]) -> None:
    _confine()
    for line in sys.stdin.buffer:
        answer = _answer(Path(msgspec.json.decode(line, type=str)))
        os.write(int(arguments[0]), msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
    os._exit(0)  # a damaged model's destructors may do harm
