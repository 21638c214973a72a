"""Protocols of serial lines: bytes and arrival times to rows of numbers. Pure: no port, no clock, no thread."""
