"""Makes the golden files of the rules anew: `python -m tests.golden.make`. Read the difference before you commit it."""

import shutil
from pathlib import Path

from edgeinfer.events import Instant
from edgeinfer.recording import Writer, read
from tests.golden import following
from tests.golden.scene import DEVICE, UNIX_NS, decided, observations

RULES = Path(__file__).parent / "rules"


def main():
    shutil.rmtree(RULES, ignore_errors=True)
    writer = Writer(RULES / "recording", DEVICE, Instant("b007b007", 0, UNIX_NS), pictures=None)
    for seen in observations():
        writer.write(seen)
    writer.close()
    (RULES / "decisions.jsonl").write_bytes(b"".join(decided(read(RULES / "recording"))))
    (RULES / "following.jsonl").write_bytes(b"".join(following.decided(read(RULES / "recording"))))


if __name__ == "__main__":
    main()
