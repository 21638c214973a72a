import os

import pytest

from edgeinfer.errors import InputError
from edgeinfer.secrets import Login, read_login


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "camera"
    path.write_text("me:pass:word\n")
    path.chmod(0o600)
    return path


def test_one_line_is_split_at_the_first_colon(secret):
    found = read_login(str(secret))
    assert (found.user, found.password) == ("me", "pass:word")


def test_two_lines_are_user_and_password(secret):
    secret.write_text("me\n: odd one\n")
    assert read_login(str(secret)).password == ": odd one"


@pytest.mark.parametrize("text", ["", "onlyuser", "a\nb\nc", ":nouser"])
def test_other_content_is_refused_without_showing_it(secret, text):
    secret.write_text(text)
    with pytest.raises(InputError, match="expected user:password") as caught:
        read_login(str(secret))
    assert not text.strip() or text not in str(caught.value)


def test_binary_content_is_refused(secret):
    secret.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_login(str(secret))


def test_a_missing_file_says_what_to_write_into_it(tmp_path):
    with pytest.raises(InputError, match="there is no file .*write user:password into it"):
        read_login(str(tmp_path / "none"))


def test_a_folder_is_refused(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(InputError, match="cannot read .*directory"):
        read_login(str(tmp_path))


def test_a_file_that_everybody_may_read_is_refused_with_the_command_that_mends_it(secret):
    os.chmod(secret, 0o644)
    with pytest.raises(InputError, match="chmod 640"):
        read_login(str(secret))


def test_repr_shows_neither():
    assert repr(Login("alice", "hunter2")) == "Login()"
