"""Nothing is compiled on a device: each dependency has a wheel for each Python and both architectures."""

import hashlib
import json
import subprocess

import pytest

from tests.fixtures.machines import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def check(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [ROOT / "scripts/wheels", "--check", *words], check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize("arch", ["arm64", "amd64"])
def test_every_dependency_has_a_wheel_for_every_python(arch):
    done = check(arch)
    assert done.returncode == 0, done.stderr


def test_a_dependency_without_a_wheel_is_found():
    assert check("arm64", "firmware", "3.11").returncode == 1  # esptool has none


def test_another_architecture_is_refused():
    done = check("armhf")
    assert (done.returncode, "expected amd64 or arm64" in done.stderr) == (2, True)


def test_the_bill_of_materials_names_every_wheel_with_its_hash(deb, tmp_path):
    subprocess.run(["dpkg-deb", "-x", str(deb), str(tmp_path)], check=True)
    told = json.loads((tmp_path / "usr/share/doc/edgeinfer/sbom.cdx.json").read_text())
    wheels = list((tmp_path / "opt/edgeinfer/wheels").glob("*.whl"))
    hashes = {
        h["content"] for c in told["components"] for r in c["externalReferences"] for h in r.get("hashes", [])
    }
    assert len(wheels) > 20
    assert {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels} == hashes
