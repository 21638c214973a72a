import os
import shutil
from pathlib import Path

import pytest

from edgeinfer.errors import InputError
from edgeinfer.mqtt.tls import Tls
from edgeinfer.mqtt.x509 import validity
from tests.fixtures.certificates import Certificates, make_certificates

DAY_S = 86_400


@pytest.fixture
def authority(tmp_path) -> Certificates:
    return make_certificates(tmp_path / "tls")


def test_files_that_stay_are_loaded_once(authority):
    tls = Tls(authority.ca, *authority.client("press"))
    before = tls.context
    assert not tls.refresh()
    assert tls.context is before


def test_a_renewed_certificate_is_taken(authority):
    tls = Tls(authority.ca, *authority.client("press"))
    before = tls.context
    authority.client("press")
    assert tls.refresh()
    assert tls.context is not before
    assert not tls.refresh()


def test_a_file_that_is_put_in_its_place_with_the_old_time_is_seen(authority):
    cert, key = authority.client("press")
    tls = Tls(authority.ca, cert, key)
    at = os.stat(cert)
    shutil.copy(cert, f"{cert}.new")
    os.utime(f"{cert}.new", ns=(at.st_atime_ns, at.st_mtime_ns))
    os.replace(f"{cert}.new", cert)
    assert tls.refresh()


def test_half_of_a_renewal_leaves_the_old_pair_in_use(authority):
    cert, key = authority.client("press")
    tls = Tls(authority.ca, cert, key)
    before = tls.context
    new_cert, new_key = authority.client("other")
    shutil.copy(new_cert, cert)
    assert not tls.refresh()
    assert tls.context is before
    assert "still in use" in tls.problem
    shutil.copy(new_key, key)
    assert tls.refresh()
    assert not tls.problem


def test_a_renewed_authority_is_taken_and_ends_no_connection(authority):
    tls = Tls(authority.ca, *authority.client("press"))
    before = tls.context
    Path(authority.ca).touch()
    os.utime(authority.ca, ns=(1, 1))
    assert not tls.refresh()
    assert tls.context is not before


def test_a_certificate_that_is_gone_is_told_and_the_old_one_stays(authority):
    cert, key = authority.client("press")
    tls = Tls(authority.ca, cert, key)
    os.remove(cert)
    assert not tls.refresh()
    assert "there is no such file" in tls.problem


@pytest.mark.parametrize(
    ("days", "left_days", "told"),
    [
        (30, 8, None),
        (30, 7, "expires in 7 days"),
        (3000, 15, None),
        (3000, 14, "expires in 14 days"),
        (1, 0.2, "expires in 4.8 hours"),
        (1, 0.3, None),
        (30, -1, "has expired"),
    ],
)
def test_a_certificate_that_is_about_to_end_is_told(authority, days, left_days, told):
    cert, key = authority.client("press", days)
    last_s = validity(Path(cert).read_text())[1]
    said = Tls(authority.ca, cert, key).ends(last_s - left_days * DAY_S + 60 * (told is None))
    assert told in said if told else said is None


def test_without_a_client_certificate_nothing_ends(authority):
    assert Tls(authority.ca).ends(1e12) is None


def test_a_key_of_another_certificate_is_explained(authority):
    cert, _ = authority.client("press")
    _, key = authority.client("other")
    with pytest.raises(InputError, match=r"cert or key"):
        Tls(authority.ca, cert, key)


def test_a_key_with_a_password_is_refused_instead_of_asked_for(authority, tmp_path):
    import subprocess

    cert, key = authority.client("press")
    locked = str(tmp_path / "locked.key")
    command = ["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(InputError, match=r"cert or key"):
        Tls(authority.ca, cert, locked)
