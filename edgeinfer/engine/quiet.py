"""Keeps what a runtime says once in each process ("INFO: Created TensorFlow Lite XNNPACK delegate") from our users.

Neither LiteRT nor tflite-runtime has a switch for it (TF_CPP_MIN_LOG_LEVEL is not asked). So a model of one operator is
opened first, while C's `stderr` is another stream; everything after that, words of a driver that dies among them, goes
where it always went. Descriptor 2 stays as it is: Python's own log and child processes do not notice.
"""

from __future__ import annotations

import ctypes
import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from zlib import decompress

_RESHAPE = (
    "eNp1kL8KwkAMxj//UCs9aoVSOjg6ODgILoLOTo6+QKkFOygiFRwc6rv4BL7gmVyiQ9U7cndJ+vvSJAWwXW/mQIgYEQx8inTJ"
    "A3nAiOzWAjp006VZ3uLH4BUi/dDCxsqeyCqyq+OAQ1Ye0WATV8sgUDZ1cQzHdEzc03O6nmq0lW8afvj87U65p7WWe5pKqj+j"
    "40ExX3tlpray+H2v6yVz+yKr0Kj7ntfAzUT+m/tdqPaKDkMbmjc6u391ejyrMq8u5+Krv0i1AqcmWonUSV5O/Sgk"
)
"""A .tflite, deflated: int8 (1, 1) reshaped to (1, 1); `tests/engine/test_quiet.py` builds it anew and compares."""


@cache
def said_its_first(module: str) -> None:
    """The runtime `module` has been imported and has said what it says once, to nobody."""
    runtime = import_module(module)
    with _diverted(), suppress(ValueError, RuntimeError):  # it is not ours to judge a runtime here
        runtime.Interpreter(model_content=model()).allocate_tensors()


def model() -> bytes:
    """The smallest that a runtime takes."""
    return decompress(b64decode(_RESHAPE))


@contextmanager
def _diverted() -> Iterator[None]:
    """C's `stderr` is a file in memory; lines that are no INFO are given out afterwards.

    Source: the GNU C library's manual, "Standard Streams": they are variables that a program may set. Where there is
    another C library nothing is diverted.
    """
    if not _is_glibc():
        yield
        return
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    handle = os.memfd_create("edgeinfer-quiet", os.MFD_CLOEXEC)
    stream = libc.fdopen(handle, b"w")
    stderr = ctypes.c_void_p.in_dll(libc, "stderr")
    before, stderr.value = stderr.value, stream
    try:
        yield
    finally:
        stderr.value = before
        libc.fflush(ctypes.c_void_p(stream))
        _give_out(os.pread(handle, 1 << 16, 0))
        libc.fclose(ctypes.c_void_p(stream))


def _give_out(text: bytes) -> None:
    for line in text.splitlines(keepends=True):
        if not line.startswith(b"INFO: "):
            os.write(2, line)


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):
        return False
