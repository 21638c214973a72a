"""Tracking: which finding in this picture is which of the picture before; pure, and says nothing about what it means."""
