"""The option --trust, as every command has it that takes or runs what may have to be signed."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeinfer.app.trust import TRUST


def add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust",
        type=Path,
        default=TRUST,
        metavar="DIR",
        help=f"the public keys (*.pem) that may sign for this device (default: {TRUST})",
    )
