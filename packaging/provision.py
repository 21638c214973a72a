"""Prepares a device before its first start: name, config, certificates and edgeinfer itself, on a card or an image.

What is written runs once, at the first boot of the device, and needs no network (scripts/bundle made it). So a card for
another processor needs no emulation here.

One device, onto a card, an image file or a mounted tree:
    scripts/provision --install edgeinfer-arm64.run --config press.toml --name press-07 /dev/sdX
Forty, each from a copy of one base image (or onto the card that the column `target` names):
    scripts/provision --install edgeinfer-arm64.run --config press.toml --fleet devices.csv --base raspios.img --out cards

In the config ${name} and every column of the CSV can be used (`${broker}`). The columns `ca`, `cert` and `key` name files:
they come into /etc/edgeinfer/tls/ of the device, and ${ca}, ${cert}, ${key} are their paths there.

exit codes: 0 done · 1 the world failed · 2 wrong input, nothing written
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from disks import DiskError, mounted_root

from edgeinfer.config.syntax import parse
from edgeinfer.errors import InputError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a host name, RFC 1123
_TLS = "/etc/edgeinfer/tls"
_FILES = ("ca", "cert", "key")
_FIRST_BOOT = "var/lib/edgeinfer-first-boot"
_UNIT = """\
[Unit]
Description=Install edgeinfer on the first boot
ConditionPathExists=/{folder}/install.run
After=local-fs.target

[Service]
Type=oneshot
ExecStart=/bin/sh /{folder}/install.run
ExecStart=/bin/rm -rf /{folder} /etc/systemd/system/multi-user.target.wants/edgeinfer-first-boot.service /etc/systemd/system/edgeinfer-first-boot.service

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Device:
    """One device as it will be: its name, where it is written, its config, and its files (path on the device → here)."""

    name: str
    target: Path
    config: str
    files: Mapping[str, Path]


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        devices = list(_devices(args))
        for device in devices:
            if args.base:
                shutil.copyfile(args.base, device.target)
            write(device, args.install)
            print(f"{device.name}: written to {device.target}")
    except InputError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 2
    except (DiskError, OSError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, DiskError) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/provision", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "target", type=Path, nargs="?", help="a card (/dev/sdX), an image file, or the root of a mounted tree"
    )
    parser.add_argument(
        "--install", type=Path, required=True, metavar="FILE.run", help="what scripts/bundle made"
    )
    parser.add_argument(
        "--config",
        type=Path,
        required=True,
        metavar="FILE",
        help="the config, with ${name} and the like in it",
    )
    parser.add_argument("--name", help="the device's name and host name")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="WORD=VALUE",
        help="e.g. broker=mqtts://10.0.0.5; ca=plant.pem",
    )
    parser.add_argument(
        "--fleet", type=Path, metavar="CSV", help="a line a device; columns: name, then what the config uses"
    )
    parser.add_argument(
        "--base", type=Path, metavar="IMAGE", help="with --fleet: the image that each device gets a copy of"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("cards"), metavar="DIR", help="with --base: where the images go"
    )
    return parser


def _devices(args: argparse.Namespace) -> Iterator[Device]:
    """All devices that are asked for, each wholly checked, before the first is written."""
    for path in (args.install, args.config, *([args.base] if args.base else [])):
        if not path.is_file():
            raise InputError(f"{path}: no such file")
    template = args.config.read_text()
    rows = _rows(args.fleet) if args.fleet else [_row(args)]
    names = [row["name"] for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"{args.fleet}: the name {name!r} stands there {names.count(name)} times; names are unique"
            )
    for row in rows:
        yield _device(row, template, args)


def _row(args: argparse.Namespace) -> dict[str, str]:
    if not args.name or not args.target:
        raise InputError(
            "expected --name and a target (a card, an image, a mounted tree), or --fleet devices.csv"
        )
    words = dict(word.partition("=")[::2] for word in args.set)
    return {"name": args.name, "target": str(args.target)} | words


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open(newline="") as file:
        reader = csv.DictReader(file, restkey="", restval=None, skipinitialspace=True)
        if "name" not in (reader.fieldnames or []):
            raise InputError(
                f"{path}: expected a first line with the columns, one of them 'name'; found {reader.fieldnames}"
            )
        rows = []
        for number, row in enumerate(reader, 2):
            if None in row.values() or "" in row:
                raise InputError(
                    f"{path} line {number}: expected {len(reader.fieldnames or [])} columns, as in line 1"
                )
            rows.append({key: value.strip() for key, value in row.items()})
    if not rows:
        raise InputError(f"{path}: no device in it")
    return rows


def _device(row: dict[str, str], template: str, args: argparse.Namespace) -> Device:
    name = row["name"]
    if not _NAME.fullmatch(name):
        raise InputError(
            f"the name {name!r}: expected lower case letters, digits and - (it becomes the host name)"
        )
    files = {f"{_TLS}/{word}.pem": Path(row[word]) for word in _FILES if row.get(word)}
    for path in files.values():
        if not path.is_file():
            raise InputError(f"{name}: {path}: no such file")
    words = row | {word: f"{_TLS}/{word}.pem" for word in _FILES}
    try:
        config = string.Template(template).substitute(words)
        parse(config)
    except KeyError as error:
        raise InputError(
            f"{args.config}: ${{{error.args[0]}}} is no column of {args.fleet or 'what was --set'}"
        ) from None
    except ValueError as error:
        raise InputError(f"{args.config}, for {name}: {error}") from None
    if args.base:
        args.out.mkdir(parents=True, exist_ok=True)
        return Device(name, args.out / f"{name}.img", config, files)
    if not row.get("target"):
        raise InputError(
            f"{name}: expected a column 'target' (a card, an image, a mounted tree), or --base IMAGE"
        )
    return Device(name, Path(row["target"]), config, files)


def write(device: Device, installer: Path) -> None:
    """Writes onto the card, image or tree; what is there of an earlier try is replaced."""
    with mounted_root(device.target) as root:
        _put(root, "etc/hostname", f"{device.name}\n")
        _put(
            root, "etc/machine-id", ""
        )  # made anew at the first boot: two copies of one image are two machines
        _put(root, "etc/edgeinfer/config.toml", device.config)
        for path, source in device.files.items():
            target = _place(root, path.lstrip("/"))
            shutil.copyfile(source, target)
            target.chmod(0o640)
        run = _place(root, f"{_FIRST_BOOT}/install.run")
        shutil.copyfile(installer, run)
        _put(root, "etc/systemd/system/edgeinfer-first-boot.service", _UNIT.format(folder=_FIRST_BOOT))
        wants = _place(root, "etc/systemd/system/multi-user.target.wants/edgeinfer-first-boot.service")
        wants.unlink(missing_ok=True)
        wants.symlink_to("/etc/systemd/system/edgeinfer-first-boot.service")
        os.sync()


def _put(root: Path, path: str, text: str) -> None:
    _place(root, path).write_text(text)


def _place(root: Path, path: str) -> Path:
    """A path in the other tree; a link in it must not lead us out into our own."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise DiskError(f"{target.parent} leads out of {root}", exit_code=2)
    if target.is_symlink():
        target.unlink()
    return target


if __name__ == "__main__":
    sys.exit(main())
