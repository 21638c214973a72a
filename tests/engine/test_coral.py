"""Why an Edge TPU is not found, from what the buses show."""

from __future__ import annotations

import pytest

from edgeinfer.engine.coral import whereabouts


def usb(root, ids: str):
    device = root / "sys/bus/usb/devices/1-1"
    device.mkdir(parents=True)
    for name, value in zip(("idVendor", "idProduct"), ids.split(":")):
        (device / name).write_text(f"{value}\n")


def test_nothing_is_plugged_in(tmp_path) -> None:
    usb(tmp_path, "046d:c077")
    assert "there is none on USB" in whereabouts(tmp_path)


@pytest.mark.parametrize(("ids", "state"), [("1a6e:089a", "as it starts up"), ("18d1:9302", "ready")])
def test_one_on_usb_that_we_cannot_have(tmp_path, ids, state) -> None:
    usb(tmp_path, ids)
    assert f"there is one on USB ({state}): may this user open it (group plugdev" in whereabouts(tmp_path)


def test_one_on_pcie_that_somebody_else_has(tmp_path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch()
    assert "does another program hold it" in whereabouts(tmp_path)


def test_one_on_pcie_that_this_user_may_not_open(tmp_path, monkeypatch) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch()
    monkeypatch.setattr("edgeinfer.engine.coral.os.access", lambda *_: False)
    assert "this user may not open it: put it into the group apex" in whereabouts(tmp_path)
