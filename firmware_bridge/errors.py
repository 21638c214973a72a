"""What goes wrong on the way to a node; each error speaks to the person who reads it. Flashing has errors of its own."""

from __future__ import annotations


class BridgeError(Exception):
    """The root: port or node is away or not what was expected."""


class MalformedError(BridgeError):
    """A frame with a right CRC whose body is not what its type says."""


class PortError(BridgeError):
    """A port cannot be opened: there is none of this name, or it is no serial port."""


class PortBusyError(PortError):
    """Somebody else holds the port; the text says who."""


class PortDeniedError(PortError):
    """No permission; the text says which group is missing."""


class PortLostError(PortError):
    """The port is gone while it was open: cable out, adapter reset, or a second reader took its bytes."""
