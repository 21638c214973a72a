import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.mqtt.x509 import validity
from tests.fixtures.certificates import make_certificates


@pytest.fixture(scope="module")
def pem(tmp_path_factory) -> str:
    return make_certificates(tmp_path_factory.mktemp("tls")).cert


def as_openssl_says(path: str, which: str) -> float:
    command = ["openssl", "x509", "-in", path, "-noout", f"-{which}", "-dateopt", "iso_8601"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout.partition("=")[2]
    return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


def test_both_ends_are_those_that_openssl_reads(pem):
    assert validity(Path(pem).read_text()) == tuple(as_openssl_says(pem, w) for w in ("startdate", "enddate"))


def test_a_certificate_that_ends_after_2050_is_read(tmp_path):
    files = ["-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "c")]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command = ["openssl", "req", "-x509", *key, *files, "-days", "20000", "-subj", "/CN=a"]
    subprocess.run(command, check=True, capture_output=True)
    path = str(tmp_path / "c")
    assert validity(Path(path).read_text())[1] == as_openssl_says(path, "enddate")


def test_the_first_of_a_chain_counts(pem):
    leaf, authority = Path(pem).read_text(), Path(pem).with_name("ca.crt").read_text()
    assert validity(f"a comment\n{leaf}{authority}") == validity(leaf)


@pytest.mark.parametrize(
    "text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_told(text):
    with pytest.raises(ValueError, match="certificate"):
        validity(text)


@given(st.data())
def test_a_damaged_certificate_gives_times_or_a_valueerror(pem, data):
    lines = Path(pem).read_text().splitlines()
    n = data.draw(st.integers(1, len(lines) - 2))
    lines[n] = data.draw(st.text("ABCDEFxyz0189+/", max_size=64))
    try:
        first, last = validity("\n".join(lines))
    except ValueError:
        return
    assert isinstance(first, float)
    assert isinstance(last, float)
