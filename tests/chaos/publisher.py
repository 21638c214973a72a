"""Decides as fast as it is told to until it is killed: `python -m tests.chaos.publisher FOLDER URL LOG PAUSE_S`.

`LOG` gets a line "seq id" after each commit: what stands there must arrive.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

from edgeinfer.sinks.mqtt import Mqtt
from tests.chaos.device import Device


def main(folder: str, url: str, log: str, pause_s: str) -> None:
    device = Device(Path(folder), {"plant": Mqtt.Options(url=url)})
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for n in itertools.count():
        entry = device.decide(n)
        os.write(fd, f"{entry.seq} {entry.id}\n".encode())
        time.sleep(float(pause_s))


if __name__ == "__main__":
    main(*sys.argv[1:])
