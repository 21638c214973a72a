"""What went wrong with a broker, as one line for the person who must mend it; talks to nobody."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

# MQTT 5, 2.4 and 3.14.2.1; paho maps the five codes of 3.1.1 (3.2.2.3) onto these.
UNSUPPORTED_VERSION = 0x84
_REASONS = {
    UNSUPPORTED_VERSION: "speaks another version of MQTT",
    0x85: "refuses the client id {client_id!r}: write another client_id",
    0x86: "refuses user or password: look at {credentials}",
    0x87: "does not allow this device: look at {credentials}, and at the broker's list of users and topics",
    0x88: "is not available now",
    0x89: "is busy now",
    0x8A: "has banned this device",
    0x8B: "is shutting down",
    0x8D: "heard nothing from this device for too long (keepalive)",
    0x8E: "closed this connection since another client uses the client id {client_id!r}: give each device and sink its own client_id",
    0x90: "refuses the topic of the last will: allow {{topic}}/status in its access list",
    0x93: "got more at once than it can take: lower in_flight",
    0x95: "says that a message is too large",
    0x97: "says that a quota is used up",
    0x98: "was told by its operator to close this connection",
    0x9A: "does not take retained messages",
    0x9B: "does not take QoS 1: use a broker that does",
    0x9C: "says that another server must be used",
    0x9D: "says that the server has moved",
}
# Reasons of a DISCONNECT that are about what was sent, and not about who sent it (same table).
ABOUT_A_MESSAGE = frozenset({0x80, 0x81, 0x82, 0x83, 0x90, 0x95, 0x99, 0x9A, 0x9B})

# X509_V_ERR_* of OpenSSL, x509_vfy.h
_CERTIFICATE = {
    9: "is not valid yet: is this device's clock right?",
    10: "has expired: renew it at the broker, or set this device's clock right",
    18: 'is self-signed: name it (or the authority that signed it) as ca = "…"',
    19: 'comes from an authority that is not known here: name its certificate as ca = "…"',
    20: 'comes from an authority that is not known here: name its certificate as ca = "…"',
    62: "was made for another name: use the name in it as the host of url, or make one for {host!r}",
    64: "was made for another address: use the name in it as the host of url, or make one for {host!r}",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What the sentences need to know of the config."""

    host: str
    port: int
    client_id: str
    credentials_file: str

    def broker(self, text: str) -> str:
        return f"the broker {self.host}:{self.port} {text}"

    def reason(self, code: int, name: str) -> str:
        """A reason code of CONNACK or DISCONNECT; `name` is what stands for those without a sentence here."""
        text = _REASONS.get(code, "says: {name}")
        credentials = self.credentials_file or "credentials_file (none is given)"
        return self.broker(text.format(client_id=self.client_id, credentials=credentials, name=name))

    def closed(self, *, tls: bool) -> str:
        """What it means when a broker says nothing and closes; with TLS 1.3 it looks at our certificate that late."""
        text = "closes the connection without an answer"
        return (
            f"{text}: does it ask for a client certificate (cert and key), or not take this one?" * tls
            or text
        )

    def too_large(self, size: int, limit: int) -> str:
        return f"{size} bytes and its topic are more than the broker's limit of {limit} bytes for a message"

    def error(self, error: Exception) -> str:
        """Why no connection could be made."""
        if isinstance(error, ssl.SSLCertVerificationError):
            text = _CERTIFICATE.get(error.verify_code, "is not accepted: {message}")
            return self.broker(
                "has a certificate that " + text.format(host=self.host, message=error.verify_message)
            )
        if isinstance(error, socket.gaierror):
            return f"no broker named {self.host!r} is found: look at url and at this device's name server"
        return self.broker(_connection(error))


def _connection(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "does not listen: is it running, is the port right?"
    if isinstance(error, TimeoutError):
        return "does not answer: look at network, firewall and the broker itself"
    if isinstance(error, ssl.SSLError) and "ALERT" in str(error) and "CERTIFICATE" in str(error):
        return f"wants a client certificate, and not the one that it got ({error}): look at cert and key"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as expected ({error}): mqtts:// needs its TLS port"
    return f"cannot be reached: {error}"
