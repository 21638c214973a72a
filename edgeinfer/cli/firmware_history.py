"""Shows the flash log: one line a run with when, who, port, what, result, and what the node ran afterwards."""

from __future__ import annotations

import argparse
import json

from edgeinfer.cli.firmware_place import folder_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="PORT", help="only runs on this port")
    parser.add_argument("--last", type=int, default=50, metavar="N", help="only the last N runs (50)")
    parser.add_argument("--steps", action="store_true", help="every step of these runs")


def main(args: argparse.Namespace) -> int:
    from firmware_bridge.flash.journal import Journal

    folder = folder_of(args)
    runs = [run for run in Journal(folder).jobs() if args.port in {None, run.port}][-max(args.last, 1) :]
    for run in runs:
        if args.json:
            print(json.dumps({**run.summary, "steps": run.records} if args.steps else run.summary))
            continue
        print("  ".join(f"{value}" for value in run.summary.values() if value))
        for record in run.records if args.steps else ():
            facts = {
                k: v for k, v in record.items() if k not in {"job", "port", "step", "result", "at"} and v
            }
            print(f"    {record['at']}  {record['step']:<9} {record['result']:<8} {facts or ''}")
    if not runs and not args.json:
        print(f"nothing was flashed yet (no log in {folder})")
    return 0
