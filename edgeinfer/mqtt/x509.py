"""From when until when a certificate is valid; reads nothing else of it, and trusts it in nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime, timezone

_HEADER, _FOOTER = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# ASN.1 tags (X.690): [0] of TBSCertificate, UTCTime, GeneralizedTime.
_VERSION, _UTC_TIME, _TIME = 0xA0, 0x17, 0x18


def validity(pem: str) -> tuple[float, float]:
    """Not before and not after, as unix seconds, of the first certificate in `pem` (RFC 5280, 4.1.2.5).

    Raises:
        ValueError: there is no certificate in it, or it is damaged.
    """
    start, end = pem.find(_HEADER), pem.find(_FOOTER)
    if start < 0 or end < start:
        raise ValueError("there is no PEM certificate")
    der = ssl.PEM_cert_to_DER_cert(pem[start : end + len(_FOOTER)])
    try:
        _, certificate = next(_items(der))
        _, to_be_signed = next(_items(certificate))
        fields = [body for tag, body in _items(to_be_signed) if tag != _VERSION]
        first, last = (
            _unix_s(tag, body) for tag, body in _items(fields[3])
        )  # serial, algorithm, issuer, this
    except (IndexError, StopIteration, ValueError) as error:
        raise ValueError(f"the certificate is damaged: {error}") from None
    return first, last


def _items(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a sequence: tag and content (X.690, 8.1)."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        if at + length > len(der):
            raise ValueError("it is cut off")
        yield tag, der[at : at + length]
        at += length


def _unix_s(tag: int, body: bytes) -> float:
    """Years of two digits below 50 are of this century (RFC 5280, 4.1.2.5.1); `strptime` turns at 69."""
    text = body.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    elif tag != _TIME:
        raise ValueError(f"a time has tag {tag}")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
