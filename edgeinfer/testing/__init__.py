"""Fakes that we ship: used by the tests, the demo and the docs alike."""
