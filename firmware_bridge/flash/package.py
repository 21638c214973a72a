"""A firmware package: one zip with firmware.toml, the images, and perhaps a signature; the same input, the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zlib import crc32

from firmware_bridge.flash import manifest as toml
from firmware_bridge.flash import signing
from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.manifest import Manifest, PartEntry
from firmware_bridge.flash.sources import Found

MANIFEST, SIGNATURE = "firmware.toml", "firmware.toml.sig"
_SIZE_MAX = 64 << 20  # the largest serial-flashed image we know of is an 16 MB ESP32


@dataclass(frozen=True)
class Package:
    """A package whose every hash was found right."""

    manifest: Manifest
    images: Mapping[str, Image]  # file → image
    signature: bytes
    digest: str  # sha256 of firmware.toml: the identity of the package

    @property
    def label(self) -> str:
        """`vibration-node 2.1.0 for microbit`."""
        return f"{self.manifest.name} {self.manifest.version} for {self.manifest.board}"

    def proofs(self) -> list[PartEntry]:
        """The images of which a node that runs this package hashes and reports one (one for each slot)."""
        return [part for part in self.manifest.parts if part.proof]


def build(
    found: Sequence[Found],
    *,
    board: str,
    name: str,
    version: str,
    flasher: str,
    build_digest: str = "",
    options: Mapping[str, str | int] | None = None,
) -> Manifest:
    """The manifest of images; raises PackageError when a word or two file names are wrong."""
    files = [one.file for one in found]
    if len(set(files)) != len(files):
        raise PackageError(f"two images have the same file name: {', '.join(files)}; rename one")
    manifest = Manifest(
        board=board,
        name=name,
        version=version,
        flasher=flasher,
        parts=tuple(_entry(one) for one in found),
        build=build_digest,
        options=dict(options or {}),
    )
    return toml.parse(toml.dump(manifest).encode(), "package")


def _entry(one: Found) -> PartEntry:
    image = one.image
    return PartEntry(
        one.file, image.offset, len(image.content), image.crc32, image.sha256, one.slot, one.proof
    )


def pack(manifest: Manifest, found: Sequence[Found], key: Path | None = None) -> bytes:
    """The package as bytes. Stored, not deflated: what zlib makes differs between its versions."""
    text = toml.dump(manifest).encode()
    files = [(MANIFEST, text), *((one.file, one.image.content) for one in found)]
    if key is not None:
        files.append((SIGNATURE, signing.sign(text, key)))
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for file, content in files:
            entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def load(path: Path, key: Path | None = None) -> Package:
    """Reads a package and checks length, CRC and sha256 of every image, and with a `key` the signature.

    Raises:
        PackageError: absent, damaged, changed, or not signed by `key`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}; expected a firmware package (.efw)") from error
    return read(raw, str(path), key)


def read(raw: bytes, where: str, key: Path | None = None) -> Package:
    """As `load`, from bytes."""
    files = _unzip(raw, where)
    if MANIFEST not in files:
        raise PackageError(f"{where}: there is no {MANIFEST} in it; make a package: edgeinfer firmware pack")
    text, signature = files.pop(MANIFEST), files.pop(SIGNATURE, b"")
    if key is not None:
        signing.verify(text, signature, key, where)
    manifest = toml.parse(text, where)
    if extra := sorted(set(files) - {part.file for part in manifest.parts}):
        raise PackageError(f"{where}: it holds {extra[0]!r}, which {MANIFEST} does not name; do not flash it")
    images = {part.file: _image(part, files, where) for part in manifest.parts}
    return Package(manifest, images, signature, sha256(text).hexdigest())


def _unzip(raw: bytes, where: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _SIZE_MAX:
                raise PackageError(
                    f"{where}: over {_SIZE_MAX >> 20} MB unpacked; this is no firmware package"
                )
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise PackageError(f"{where}: expected a firmware package, found: {error}; copy it again") from error


def _image(part: PartEntry, files: Mapping[str, bytes], where: str) -> Image:
    content = files.get(part.file)
    if content is None:
        raise PackageError(f"{where}: the image {part.file} is missing; copy the package again")
    found = (len(content), crc32(content), sha256(content).hexdigest())
    for what, want, have in zip(
        ("length", "crc32", "sha256"), (part.length, part.crc32, part.sha256), found, strict=True
    ):
        if want != have:
            raise PackageError(
                f"{where}: {part.file}: {what} should be {want}, found {have}; the package is damaged: copy it again"
            )
    return Image(part.offset, content)
