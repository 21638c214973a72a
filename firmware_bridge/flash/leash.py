"""Run a flash tool that dies with the process that started it: `python -I -S leash.py PARENT_PID COMMAND…`.

A tool that goes on writing after its flasher was killed would hold a port that the lock says is free. A script
and not a function between fork and exec: with other threads about, Python code there can deadlock.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; kept over exec


def main(parent_pid: int, command: list[str]) -> None:
    os.setpgid(0, 0)  # Ctrl-C is for the flasher, which then ends its tool in order
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before we could ask
        raise SystemExit(1)
    os.execvp(command[0], command)  # noqa: S606  the tool that the flasher names, without a shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
