"""A daemon with a trust root: what was tampered with in the store does not run, the version before it or the others do."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edgeinfer.cli.main import main
from edgeinfer.store import find_bundle, open_bundle
from tests.app.test_trust import tamper
from tests.engine import tiny
from tests.line.test_accelerator import HEAD, LINE
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def model(*words: object) -> None:
    assert main(["model", *map(str, words)]) == 0


def signed(tmp_path: Path, name: str, version: str) -> None:
    """Packed, signed and added to the store, as a field engineer gets it."""
    edits = (('name = "colours"', f'name = "{name}"'), ('version = "1"', f'version = "{version}"'))
    folder = tiny.colours(tmp_path / f"{name}-{version}", *edits)
    model("pack", folder, "--key", tmp_path / "key.pem", "-o", tmp_path / f"{name}-{version}.bundle")
    trusting = ("--state", tmp_path / "state", "--trust", tmp_path / "trust")
    model("add", tmp_path / f"{name}-{version}.bundle", "--use", *trusting)


def test_a_tampered_bundle_is_refused_by_the_daemon_and_the_others_go_on(daemon, tmp_path: Path) -> None:
    assert main(["key", "new", str(tmp_path / "key.pem")]) == 0
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "ours.pem").write_bytes((tmp_path / "key.pub.pem").read_bytes())
    for name, version in (("sound", "1"), ("replaced", "1"), ("replaced", "2"), ("alone", "1")):
        signed(tmp_path, name, version)
    state = tmp_path / "state"
    first = open_bundle(find_bundle("replaced@1", state)).identity
    for name in ("replaced", "alone"):
        tamper(open_bundle(find_bundle(name, state)), name)
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "0.png"), tiny.picture())
    text = HEAD.format(folder=tmp_path)
    for name in ("sound", "replaced", "alone"):
        text += LINE.format(name=name, bundle=name, model="", priority=5)
    run = daemon(text, state, ("--trust", str(tmp_path / "trust")))
    run.wait_post("pipeline.sound", "ok")
    run.wait_post("pipeline.alone", "degraded")
    assert "was changed after signing" in str(run.post("pipeline.alone"))
    wait_for(lambda: "bundle" in run.post("pipeline.replaced").get("notes", {}), 20, "the version before it")
    assert f"the version before it, {first}, is used" in run.post("pipeline.replaced")["notes"]["bundle"]
