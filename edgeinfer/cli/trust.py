"""The trust root: the Ed25519 public keys of /etc/edgeinfer/trust; with one in place, only what they signed is taken."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from edgeinfer.cli.firmware_place import TRUSTED_KEY
from edgeinfer.errors import BundleError, InputError

TRUST = TRUSTED_KEY.parent


def add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust",
        type=Path,
        default=TRUST,
        metavar="DIR",
        help=f"the public keys (*.pem) that may sign for this device (default: {TRUST})",
    )


def trusted_keys(folder: Path) -> list[Path]:
    """The keys of the trust root; none means that nothing needs a signature."""
    return sorted(folder.glob("*.pem"))


def check_signed(content: bytes, signature: bytes, keys: list[Path], where: str) -> None:
    """Returns when one of `keys` signed `content`, or when there is no key at all.

    Raises:
        BundleError: it is not signed, or by nobody of these.
        InputError: cryptography is not installed, or a key cannot be read.
    """
    if not keys:
        return
    from firmware_bridge.flash.errors import PackageError
    from firmware_bridge.flash.signing import verify

    need_cryptography()
    names = ", ".join(map(str, keys))
    if not signature:
        raise BundleError(
            f"{where}: is not signed, and this device takes only what was signed for {names}; ask who made it for "
            "`edgeinfer model pack NAME --key KEY`"
        )
    said = []
    for key in keys:
        try:
            verify(content, signature, key, where)
        except PackageError as error:
            said.append(str(error))
        else:
            return
    broken = next((text for text in said if "expected" in text or "cannot be read" in text), "")
    if broken:
        raise InputError(broken)
    raise BundleError(
        f"{where}: was changed after signing, or signed by somebody else: the signature fits none of {names}; "
        "do not use it"
    )


def need_cryptography() -> None:
    """Raises InputError where signatures cannot be made or checked; says what to install."""
    if find_spec("cryptography") is None:
        raise InputError('signatures need the package cryptography: pip install "edgeinfer[sign]"')
