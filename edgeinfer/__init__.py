"""edgeinfer: one line from the world to a decision, on a small device."""

__version__ = "0.1.0"
