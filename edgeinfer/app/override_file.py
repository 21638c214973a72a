"""What commands have changed for good, in a file of the state folder; the user's config is never written to."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edgeinfer.errors import StateError
from edgeinfer.store.draft import write_through

FILE = "overrides.json"


class Overrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`values` maps "rule.NAME.KEY" to a number, `paused` are names of pipelines."""

    values: dict[str, int | float] = {}
    paused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.paused)

    def words(self) -> list[str]:
        """One for each, for people."""
        return [f"{key} = {value:g}" for key, value in self.values.items()] + [
            f"pipeline.{name} is paused" for name in self.paused
        ]


def read(folder: Path) -> tuple[Overrides, str]:
    """What stands in `folder`, and what is wrong with the file, if anything is: then nothing of it holds."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Overrides), ""
    except FileNotFoundError:
        return Overrides(), ""
    except (OSError, msgspec.MsgspecError) as error:
        return (
            Overrides(),
            f"{path} cannot be read ({error}): what commands had changed does not hold; remove it",
        )


def write(folder: Path, overrides: Overrides) -> None:
    """On the medium when this returns; whole or not there.

    Raises:
        StateError: the disk does not take it.
    """
    try:
        write_through(folder / FILE, msgspec.json.format(msgspec.json.encode(overrides)))
    except OSError as error:
        raise StateError(
            f"{folder / FILE} cannot be written: {error.strerror}; nothing was changed: free space there, or give "
            "the folder to the daemon's user"
        ) from error
