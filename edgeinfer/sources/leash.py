"""Run a command that dies with the process that started it: `python -I -S leash.py PARENT_PID COMMAND…`.

A script of its own, and not a function between fork and exec: with other threads about, Python code there can
deadlock (cpython's own warning about preexec_fn). It replaces itself by the command, so nothing of it stays.
The kernel's signal reaches the command only; what the command starts itself is in its process group, which
`command.py` ends, and under systemd in the unit's control group.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; kept over exec, except of a set-user-id program


def main(parent_pid: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before we could ask
        raise SystemExit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  the command that the user configured, without a shell
    except OSError as error:
        raise SystemExit(f"cannot run {command[0]}: {error.strerror}") from None


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
