"""Sinks: the other side that takes messages."""
