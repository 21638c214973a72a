"""The trust root: the Ed25519 public keys of /etc/edgeinfer/trust; with one in place, only what they signed is taken and run.

`model add` asks it when a bundle enters the store, the daemon each time that it opens one.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from edgeinfer.app.crashes import previous
from edgeinfer.errors import BundleError, InferenceLost, InputError
from edgeinfer.store import Bundle, open_bundle
from edgeinfer.store.find import MANIFEST, shipped
from edgeinfer.store.packed import SIGNATURE

TRUST = Path("/etc/edgeinfer/trust")


class Trust:
    """The keys of one folder, read anew at each question: a key that is put there counts at once."""

    def __init__(self, folder: Path = TRUST) -> None:
        self.folder = folder

    def allowed(self, bundle: Bundle) -> tuple[Bundle, str]:
        """The bundle to be opened, and what to say where it is not this one.

        What comes with the package is trusted as the package is.

        Raises:
            InferenceLost: it is not, or no longer, what a trusted key signed, and no version used before it is.
        """
        if bundle.folder.resolve().parent in {root.resolve() for root in shipped()}:
            return bundle, ""
        reason = self._doubt(bundle)
        if not reason:
            return bundle, ""
        older = previous(bundle)
        while older is not None and self._doubt(older):
            older = previous(older)
        if older is None:
            raise InferenceLost(f"{bundle.identity} is not run: {reason}")
        return (
            older,
            f"{bundle.identity} is not run: {reason}: the version before it, {older.identity}, is used",
        )

    def _doubt(self, bundle: Bundle) -> str:
        """Why it may not run; its files are hashed again, since they may have changed after it was first read."""
        keys = trusted_keys(self.folder)
        if not keys:
            return ""
        try:
            now = open_bundle(bundle.folder)
            signature = bundle.folder / SIGNATURE
            signed = signature.read_bytes() if signature.exists() else b""
            check_signed((bundle.folder / MANIFEST).read_bytes(), signed, keys, str(bundle.folder / MANIFEST))
        except (BundleError, InputError, OSError) as error:
            return str(error)
        return "" if now.identity == bundle.identity else f"it has become {now.identity}; reload the daemon"


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
