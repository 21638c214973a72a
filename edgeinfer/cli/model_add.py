"""Takes a model into the store: a .tflite, a bundle's folder, a packed bundle, an address of one, or a catalogue name.

Of a .tflite it makes a bundle: manifest, labels, and golden pairs from --golden DIR (pictures, and findings beside
them where you have them: x.png with x.json), else from built-in pictures and noise. X.tflite and X_edgetpu.tflite
become one bundle. Each file is proven to be sound and run once in a process of its own; the golden pairs must come
out on this device. Whatever goes wrong, the store stays as it was.

The first version of a name is used at once, later ones wait for `edgeinfer model use NAME VERSION` (or --use).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.app.trust import check_signed, trusted_keys
from edgeinfer.cli.model_draft import add_draft
from edgeinfer.cli.model_gather import gather
from edgeinfer.cli.model_store import note_distrust, reloaded, shelf_of, tell, warn
from edgeinfer.cli.trust import add_trust
from edgeinfer.engine.describe import Describer
from edgeinfer.engine.golden import Comparison, verify
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_either
from edgeinfer.errors import BundleError, EdgeinferError
from edgeinfer.store import Bundle, open_bundle
from edgeinfer.store.catalog import default_catalog
from edgeinfer.store.draft import draft
from edgeinfer.store.find import MANIFEST
from edgeinfer.store.index import Version
from edgeinfer.store.packed import SIGNATURE
from edgeinfer.store.shelf import Shelf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="FILE|DIR|URL|NAME", help=".tflite, bundle, address, catalogue name")
    parser.add_argument("--use", action="store_true", help="use it from now on, also where others are there")
    parser.add_argument("--sha256", default="", help="of the file behind a URL, as its maker told it")
    parser.add_argument(
        "--catalog", type=Path, default=default_catalog(), metavar="FILE", help="another catalogue of names"
    )
    parser.add_argument(
        "--stall",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="give a server up that sends nothing for so long (default 20)",
    )
    add_trust(parser)
    add_draft(parser)


def main(args: argparse.Namespace) -> int:
    shelf = shelf_of(args)
    keys = trusted_keys(args.trust)
    with draft(shelf.root) as folder, _named(folder, args.what):
        numbered = gather(args, shelf, folder, signed_only=bool(keys))
        manifest, signature = folder / MANIFEST, folder / SIGNATURE
        try:
            check_signed(
                manifest.read_bytes(), signature.read_bytes() if signature.exists() else b"", keys, args.what
            )
        except BundleError as error:
            note_distrust(args, str(args.what), str(error))
            raise
        bundle = open_bundle(folder)
        _refuse_more(bundle)
        if known := shelf.known(bundle, by_any_number=numbered):
            return _again(args, shelf, bundle, known)
        results = prove(bundle)
        bundle, used = shelf.place(folder, use=args.use)
    daemon = used and reloaded(args)
    tell(args, _told(bundle, results, used=used, daemon=daemon), _sentence(bundle, results, used=used))
    return 0


def _again(args: argparse.Namespace, shelf: Shelf, bundle: Bundle, known: Version) -> int:
    """The store has it: nothing is added, but with --use it is used."""
    name = bundle.manifest.name
    was = shelf.entry(name).index.current
    if args.use:
        shelf.use(name, known.digest)
    used = known.digest in {was, shelf.entry(name).index.current}
    daemon = args.use and was != known.digest and reloaded(args)
    stored = open_bundle(shelf.root / name / known.digest)
    text = (
        f"{stored.identity}, version {known.version}, in {stored.folder}: is there already, with the same files and "
        f"options; no new version was made{'' if used else f' (edgeinfer model use {name} {known.version} uses it)'}"
    )
    tell(args, _told(stored, [], used=used, daemon=daemon) | {"added": False}, text)
    return 0


def prove(bundle: Bundle) -> list[Comparison]:
    """Every variant is looked into and tried apart; the golden pairs are run on the CPU, in a child process.

    Raises:
        BundleError: a file is damaged, kills the runtime, or the manifest does not fit it.
        EdgeinferError: this device finds something else than the maker of the bundle.
    """
    with Describer() as describer:
        facts = {name: describer.facts(bundle.path(file)) for name, file in bundle.manifest.variants.items()}
    if "cpu" not in facts:
        warn(f"{bundle.manifest.name}: has no file for the CPU, so nothing could be proven here")
        return []
    if facts["cpu"].trial:
        raise BundleError(f"{bundle.path(bundle.manifest.variants['cpu'])}: cannot run: {facts['cpu'].trial}")
    predictor = open_either(bundle, ModelOptions(bundle=bundle.manifest.name, isolate=True))
    try:
        results = list(verify(bundle, predictor))
    finally:
        predictor.close()
    wrong = [f"{r.input}: {text}" for r in results if not r.tolerable for text in r.wrong]
    if wrong:
        raise EdgeinferError("this device finds something else than its maker:\n  " + "\n  ".join(wrong))
    for result in results:
        if not result.passed:
            warn(f"{bundle.manifest.name}: {result.input}, which is noise, comes out otherwise here")
    return results


def _refuse_more(bundle: Bundle) -> None:
    """A file that the manifest does not list has no hash, and no signature over it."""
    found = {p.relative_to(bundle.folder).as_posix() for p in bundle.folder.rglob("*") if p.is_file()}
    more = sorted(found - {MANIFEST, SIGNATURE, *bundle.manifest.files})
    if more:
        raise BundleError(
            f"{bundle.path(more[0])}: {MANIFEST} does not list it, so nobody vouches for it: do not use this bundle"
        )


@contextmanager
def _named(folder: Path, what: str) -> Iterator[None]:
    """Errors about a file of the draft name what was added, not a folder that is gone when they are read."""
    try:
        yield
    except EdgeinferError as error:
        raise type(error)(str(error).replace(f"{folder}/", f"{what}: ")) from error


def _told(bundle: Bundle, results: list[Comparison], *, used: bool, daemon: bool) -> dict[str, object]:
    return {
        "name": bundle.manifest.name,
        "version": bundle.manifest.version,
        "identity": bundle.identity,
        "folder": str(bundle.folder),
        "golden": len(results),
        "added": True,
        "used": used,
        "daemon": daemon,
    }


def _sentence(bundle: Bundle, results: list[Comparison], *, used: bool) -> str:
    manifest = bundle.manifest
    lines = [f"{bundle.identity}, version {manifest.version}, in {bundle.folder}"]
    kinds = [r.made_of for r in results]
    lines.append(
        f"  {kinds.count('picture')} golden inputs came out right, and {kinds.count('noise')} of noise"
    )
    if used:
        lines.append(f'  it is used: bundle = "{manifest.name}" in a config runs it')
    else:
        lines.append(f"  it waits: edgeinfer model use {manifest.name} {manifest.version}")
    return "\n".join(lines)
