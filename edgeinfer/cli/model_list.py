"""Shows the store: each name, its versions, which one is used, and the bundles that come with edgeinfer.

With --catalog, what `edgeinfer model add NAME` knows by name instead, and whether it is here already.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.cli.model_store import shelf_of
from edgeinfer.cli.table import columns
from edgeinfer.errors import BundleError
from edgeinfer.store import open_bundle
from edgeinfer.store.catalog import default_catalog, read_catalog
from edgeinfer.store.find import bundle_names, shipped, stores
from edgeinfer.store.shelf import Entry, Shelf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--catalog",
        type=Path,
        nargs="?",
        const=default_catalog(),
        metavar="FILE",
        help="what can be added by name, from ours or another catalogue",
    )


def main(args: argparse.Namespace) -> int:
    if args.catalog:
        return _catalogue(args)
    shelf, own = shelf_of(args), shipped()
    rows, seen = [], set[str]()
    for root in dict.fromkeys([shelf.root, *stores(args.state)]):
        origin = "store" if root == shelf.root else "comes with edgeinfer" if root in own else str(root)
        rows += [row for entry in Shelf(root).entries() for row in _rows(root, entry, origin, seen)]
    if args.json:
        print(json.dumps({"store": str(shelf.root), "bundles": rows}))
        return 0
    print(f"store {shelf.root}")
    print("\n".join(columns(_cells(row) for row in rows)) or "  (empty)")
    return 0


def _catalogue(args: argparse.Namespace) -> int:
    here = set(bundle_names(args.state))
    listed = read_catalog(args.catalog)
    if args.json:
        rows = [
            {"name": name, "here": name in here} | msgspec.to_builtins(entry)
            for name, entry in listed.items()
        ]
        print(json.dumps({"catalog": str(args.catalog), "models": rows}))
        return 0
    print(f"catalogue {args.catalog}  (* is here already; edgeinfer model add NAME fetches the others)")
    shown = ([("*" if n in here else " "), n, e.licence, e.summary] for n, e in listed.items())
    print("\n".join(columns(shown)) or "  (empty)")
    return 0


def _rows(root: Path, entry: Entry, origin: str, seen: set[str]) -> Iterator[dict[str, Any]]:
    """The versions of a name; where a store before this one has the name, none of these is used."""
    first = entry.name not in seen
    if entry.loose and entry.folder and first:
        found = "by hand" if origin == "store" else origin
        yield _row(entry.name, entry.folder, used=True, origin=found)
    for version in entry.index.versions:
        used = first and version.digest == entry.index.current
        yield _row(entry.name, root / entry.name / version.digest, used=used, origin=origin)
    seen.add(entry.name)


def _row(name: str, folder: Path, *, used: bool, origin: str) -> dict[str, Any]:
    """One version; a damaged one is shown with what is wrong."""
    row: dict[str, Any] = {"name": name, "used": used, "origin": origin, "folder": str(folder)}
    try:
        bundle = open_bundle(folder)
    except BundleError as error:
        return row | {"problem": str(error)}
    manifest = bundle.manifest
    told = {"version": manifest.version, "identity": bundle.identity, "backends": [*manifest.variants]}
    size = sum((folder / file).stat().st_size for file in manifest.files)
    return row | told | {"summary": manifest.summary, "size_bytes": size}


def _cells(row: dict[str, Any]) -> list[str]:
    mark, origin = "*" if row["used"] else " ", "" if row["origin"] == "store" else row["origin"]
    if "problem" in row:
        return [
            mark,
            row["name"],
            Path(row["folder"]).name,
            "damaged",
            "",
            str(row["problem"]).split("\n")[0],
        ]
    size, backends = f"{row['size_bytes'] / 1e6:.1f} MB", ",".join(row["backends"])
    digest = row["identity"].rpartition(":")[2]
    return [mark, row["name"], row["version"], digest, f"{size} {backends}", origin or row["summary"]]
