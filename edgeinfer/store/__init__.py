"""Bundles on disk: found by name, read strictly, verified before anything opens them. Runs no model."""

from edgeinfer.store.bundle import Bundle, open_bundle
from edgeinfer.store.find import bundle_names, find_bundle
from edgeinfer.store.manifest import Golden, InputOptions, Manifest, Tolerance
from edgeinfer.store.window import Scale, WindowOptions

__all__ = [
    "Bundle",
    "Golden",
    "InputOptions",
    "Manifest",
    "Scale",
    "Tolerance",
    "WindowOptions",
    "bundle_names",
    "find_bundle",
    "open_bundle",
]
