"""Finds and mounts the root file system of a card or an image; refuses what this machine itself uses."""

from __future__ import annotations

import json
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_SECTOR = 512  # partx(8) counts in these, whatever the disk's own are


class DiskError(Exception):
    """Says what was found instead of a disk that can be written; 2 for what the user named, 1 for what the world did."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@contextmanager
def mounted_root(target: Path) -> Iterator[Path]:
    """The root tree of `target`: a block device, an image file (attached to a loop device), or a folder as it is.

    Raises:
        DiskError: no such thing, in use by this machine, or no Linux root in it.
    """
    if target.is_dir():
        yield _checked_tree(target)
        return
    if not target.exists():
        raise DiskError(f"{target}: no such device, image or folder", 2)
    if stat.S_ISBLK(target.stat().st_mode):
        refuse_in_use(target)
        with _mounted(target, [target]) as root:
            yield root
        return
    with _loops(target) as devices, _mounted(target, devices) as root:
        yield root


def refuse_in_use(device: Path) -> None:
    """Neither the disk that this system runs from, nor one of which a partition is mounted or swapped to."""
    disk = _disk_of(device)
    for part in _parts(disk):
        for point in part.get("mountpoints") or []:
            if point:
                word = (
                    "this system runs from it"
                    if point in {"/", "/boot", "/usr"}
                    else f"it is mounted at {point}"
                )
                raise DiskError(
                    f"{device}: refused, {word} ({part['path']}); unmount it, or name another disk", 2
                )
    if Path("/").stat().st_dev in {Path(part["path"]).stat().st_rdev for part in _parts(disk)}:
        raise DiskError(f"{device}: refused, this system runs from it", 2)


def _checked_tree(tree: Path) -> Path:
    if tree.samefile("/"):
        raise DiskError(f"{tree}: refused, this system runs from it", 2)
    if not (tree / "etc/os-release").exists() and not (tree / "usr/lib/os-release").exists():
        raise DiskError(f"{tree}: expected the root of a Linux system, found no etc/os-release in it", 2)
    return tree


@contextmanager
def _loops(image: Path) -> Iterator[list[Path]]:
    """A loop device for each partition of the image, or one for the whole where it has none.

    By offset and size, not by the kernel's partition scan: not every kernel has that for loop devices.
    """
    with ExitStack() as exits:
        devices = []
        for start, size in _partitions(image) or [(0, image.stat().st_size)]:
            words = ["--offset", str(start), "--sizelimit", str(size)]
            device = _run("losetup", "--show", "--find", *words, str(image)).strip()
            exits.callback(_run, "losetup", "--detach", device)
            devices.append(Path(device))
        yield devices


def _partitions(image: Path) -> list[tuple[int, int]]:
    """Start and size in bytes of each partition; empty where there is no table."""
    words = ["--raw", "--noheadings", "--output", "START,SECTORS", str(image)]
    told = subprocess.run(["partx", *words], check=False, capture_output=True, text=True)
    rows = [line.split() for line in told.stdout.splitlines()]
    return [(int(start) * _SECTOR, int(sectors) * _SECTOR) for start, sectors in rows]


@contextmanager
def _mounted(target: Path, devices: list[Path]) -> Iterator[Path]:
    """The first of the devices and of their partitions that holds a Linux root."""
    seen = []
    with tempfile.TemporaryDirectory(prefix="provision-") as folder:
        for part in [part for device in devices for part in _parts(device)]:
            if part.get("fstype") not in {"ext4", "ext3", "ext2", "btrfs", "xfs", "f2fs"}:
                seen.append(f"{part['path']}: {part.get('fstype') or 'no file system'}")
                continue
            _run("mount", part["path"], folder)
            try:
                root = Path(folder)
                if (root / "etc/os-release").exists() or (root / "usr/lib/os-release").exists():
                    yield root
                    return
                seen.append(f"{part['path']}: {part['fstype']} without etc/os-release")
            finally:
                _run("umount", folder)
    raise DiskError(
        f"{target}: expected a Linux root in one of its partitions; found {'; '.join(seen) or 'none'}", 2
    )


def _disk_of(device: Path) -> Path:
    told = _run("lsblk", "--noheadings", "--nodeps", "--output", "PKNAME", str(device)).strip()
    return Path("/dev") / told if told else device


def _parts(device: Path) -> list[dict]:
    told = json.loads(
        _run("lsblk", "--json", "--list", "--paths", "--output", "PATH,FSTYPE,MOUNTPOINTS", str(device))
    )
    for part in told["blockdevices"]:
        if not part.get("fstype"):  # udev has not looked yet, or does not run
            part["fstype"] = _probe(part["path"])
    return list(told["blockdevices"])


def _probe(path: str) -> str:
    return subprocess.run(
        ["blkid", "-p", "-s", "TYPE", "-o", "value", path], check=False, capture_output=True, text=True
    ).stdout.strip()


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise DiskError(f"{command[0]} is missing: apt install mount util-linux") from None
    except subprocess.CalledProcessError as error:
        raise DiskError(f"{' '.join(command)}: {error.stderr.strip() or error.returncode}") from error
    return done.stdout
