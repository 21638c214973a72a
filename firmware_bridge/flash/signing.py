"""Ed25519 signatures (RFC 8032) over a package's firmware.toml, which in turn holds the sha256 of every image.

Keys are PEM files (`openssl genpkey -algorithm ed25519`). Needs the extra `firmware` (cryptography).
"""

from __future__ import annotations

from pathlib import Path

from firmware_bridge.flash.errors import PackageError

_MISSING = 'signatures need the package cryptography: pip install "edgeinfer[firmware]"'


def sign(content: bytes, key: Path) -> bytes:
    """64 bytes; raises PackageError when `key` is no Ed25519 private key."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise PackageError(_MISSING) from error
    try:
        private = load_pem_private_key(_read(key), password=None)
    except (ValueError, TypeError) as error:
        raise PackageError(f"{key}: expected an unencrypted PEM private key: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise PackageError(f"{key}: expected an Ed25519 key; make one: openssl genpkey -algorithm ed25519")
    return private.sign(content)


def verify(content: bytes, signature: bytes, key: Path, where: str) -> None:
    """Returns when `signature` was made over `content` with the private half of `key`.

    Raises:
        PackageError: no signature, another key's, or the content was changed after signing.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise PackageError(_MISSING) from error
    try:
        public = load_pem_public_key(_read(key))
    except ValueError as error:
        raise PackageError(
            f"{key}: expected a PEM public key (openssl pkey -in KEY -pubout): {error}"
        ) from error
    if not isinstance(public, Ed25519PublicKey):
        raise PackageError(f"{key}: expected an Ed25519 public key, found another kind")
    if not signature:
        raise PackageError(
            f"{where}: it is not signed, and only what is signed for {key} may be flashed here; "
            "ask who made it for a signed package"
        )
    try:
        public.verify(signature, content)
    except InvalidSignature:
        raise PackageError(
            f"{where}: the signature does not fit {key}: it was changed after signing, or another key signed it; "
            "do not flash it"
        ) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: the key cannot be read: {error.strerror}") from error
