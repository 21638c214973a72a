"""What a .tflite file holds: tensors, operators, labels; read in a throw-away process, for it may be damaged.

`python -m edgeinfer.engine.describe FILE` writes JSON; `describe(path)` runs that and reads it.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.engine.isolated import ended
from edgeinfer.engine.runtimes import find_runtime
from edgeinfer.errors import BundleError
from edgeinfer.tensors import ModelSpec

_LIMIT_S = 60.0
_REFUSED = 3  # our exit code for a file that the runtime refuses in order


class ModelFacts(msgspec.Struct, frozen=True):
    """All that a file tells. `embedded` maps the files of TFLite metadata (a zip at its end) to their lines."""

    file: str
    size_bytes: int
    runtime: str
    spec: ModelSpec
    operators: dict[str, int]
    embedded: dict[str, list[str]]


def describe(path: Path) -> ModelFacts:
    """Reads `path` in a child process.

    Raises:
        BundleError: it is missing, or the runtime refuses it, dies of it or hangs on it.
        InputError: no runtime is installed.
    """
    if not path.is_file():
        raise BundleError(f"{path}: there is no such file; expected a .tflite file or the folder of a bundle")
    find_runtime()
    command = [sys.executable, "-m", "edgeinfer.engine.describe", str(path.absolute())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False, cwd="/")
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{path}: the runtime hangs on it (nothing after {_LIMIT_S:.0f} s)") from error
    if done.returncode == _REFUSED:
        raise BundleError(f"{path}: is damaged or no TFLite model: {done.stdout.strip()}")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        text = f"the runtime {ended(done.returncode)} while it opened the file, so it is damaged"
        raise BundleError(f"{path}: {text} ({last})" if last else f"{path}: {text}")
    return msgspec.json.decode(done.stdout, type=ModelFacts)


def _facts(path: Path) -> ModelFacts:
    """Without delegates, so that the operators are those of the file."""
    from edgeinfer.engine.tflite import read_spec

    runtime = find_runtime()
    module = runtime.interpreter()
    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = module.Interpreter(model_path=str(path), experimental_op_resolver_type=plain)
    names = Counter(op["op_name"] for op in interpreter._get_ops_details())  # noqa: SLF001  nothing public tells it
    spec = read_spec(interpreter)
    return ModelFacts(
        str(path), path.stat().st_size, str(runtime), spec, dict(names.most_common()), embedded(path)
    )


def embedded(path: Path) -> dict[str, list[str]]:
    """The text files that TFLite metadata appends to a model as a zip; {} where there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _lines(archive.read(name)) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        return {}


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="replace").split("\n") if b"\0" not in data else []


def _main(arguments: list[str]) -> int:
    try:
        facts: Any = _facts(Path(arguments[0]))
    except (ValueError, RuntimeError, SystemError) as error:
        print(" ".join(str(error).split()))
        return _REFUSED
    sys.stdout.write(msgspec.json.encode(facts).decode())
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
