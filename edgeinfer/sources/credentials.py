"""User and password in the URL of a camera: put in at the last moment, never shown."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from edgeinfer.secrets import Login

# Between :// and @. The second form is a password with an unquoted / ? or # in it: what follows its colon is no port.
_USER_INFO = re.compile(
    r"(?<=://)(?!\{user\}:\{password\}@)(?:[^/?#\s]*@|[^/?#\s@:]*:(?!\d*(?:[/?#\s]|$))\S*@)"
)
_PASSWORD = re.compile(r"(?i)(?<![a-z])(pass|password|passwd|pwd|pw)=(?!\{)[^&\s]+")


def fill(url: str, login: Login) -> str:
    """`url` with both in it: in place of {user} and {password} where it has them, else before the host."""
    user, password = quote(login.user, safe=""), quote(login.password, safe="")
    if "{password}" in url or "{user}" in url:
        return url.replace("{user}", user).replace("{password}", password)
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc}"))


def holds_secret(url: str) -> bool:
    """Whether somebody wrote a user or a password into `url` itself."""
    return bool(_USER_INFO.search(url) or _PASSWORD.search(url))


def redact(text: str) -> str:
    """`text` as it may be shown: without the user and password of any URL in it."""
    return _PASSWORD.sub(r"\1=***", _USER_INFO.sub("***@", text))
