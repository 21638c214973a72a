"""What the page costs the daemon: CPU and memory without it, with it and nobody there, and with one viewer; in one run.

Each of the three is a daemon in a process of its own on the rendered belt; they run in turn, `--rounds` times, and the median
counts. The viewer takes the live pictures and the events, as a browser does. Bounds: 5 % more CPU and 20 MB with a viewer,
0.5 % more CPU without, and 0.5 s to the first paint in the chromium of the system; a difference below the spread of the baseline itself cannot be told from it, and that is printed.

    python -m benchmarks.web [--seconds 20] [--rounds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

from edgeinfer.cli.demo import CONFIG

SIDES = ("without", "nobody", "viewer")
_WARM_S = 4.0
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextlib.contextmanager
def _running(side: str) -> Iterator[tuple[int, int]]:
    """A daemon that is warm: its process and the port of its page."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        text = CONFIG.replace('kind = "console"', f'kind = "jsonl"\npath = "{folder}/out.jsonl"')
        if side != "without":
            text += f'\n[web]\nlisten = "127.0.0.1:{port}"\n'
        text += f'\n[state]\ndir = "{folder}/state"\n'
        config = Path(folder, "config.toml")
        config.write_text(text)
        daemon = subprocess.Popen(
            [sys.executable, "-m", "edgeinfer", "run", str(config)], stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(_WARM_S)
            yield daemon.pid, port
        finally:
            daemon.terminate()
            daemon.wait()


def measure(side: str, seconds: float) -> tuple[float, float]:
    """CPU seconds a second, and resident MB at the end."""
    with _running(side) as (pid, port):
        if side == "viewer":
            for path in ("/live/belt", "/events"):
                Thread(target=_watch, args=(port, path), daemon=True).start()
            time.sleep(1.0)
        begun, before = time.monotonic(), _cpu_s(pid)
        time.sleep(seconds)
        return (_cpu_s(pid) - before) / (time.monotonic() - begun), _rss_mb(pid)


def first_paints_ms(rounds: int) -> list[float]:
    """From navigation to the first contentful paint, each in a fresh profile."""
    from playwright.sync_api import sync_playwright

    found = []
    with _running("nobody") as (_, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        for _ in range(rounds):
            context = browser.new_context()
            tab = context.new_page()
            tab.goto(f"http://127.0.0.1:{port}/", wait_until="domcontentloaded")
            tab.wait_for_selector("#posts tr")
            found.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            context.close()
        browser.close()
    return found


def _watch(port: int, path: str) -> None:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), 5) as client,
    ):
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        while client.recv(262_144):
            pass


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _cpu_s(pid: int) -> float:
    """proc(5): utime and stime are fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    for _ in range(args.rounds):
        for side in SIDES:
            found[side].append(measure(side, args.seconds))
    cpu = {side: statistics.median(c for c, _ in found[side]) for side in SIDES}
    rss = {side: statistics.median(m for _, m in found[side]) for side in SIDES}
    base = [c for c, _ in found["without"]]
    print(
        f"without  {cpu['without']:6.1%} of a core, {rss['without']:6.1f} MB (spread {max(base) - min(base):.1%} of a core)"
    )
    for side in SIDES[1:]:
        points, ratio = cpu[side] - cpu["without"], cpu[side] / cpu["without"] - 1
        print(
            f"{side:<8} {cpu[side]:6.1%} of a core, {rss[side]:6.1f} MB: {points:+.1%} of a core, {ratio:+.1%} of its own, {rss[side] - rss['without']:+.1f} MB"
        )
    paints = first_paints_ms(args.rounds)
    print(f"first paint {statistics.median(paints):.0f} ms (worst {max(paints):.0f} ms)")


if __name__ == "__main__":
    main()
