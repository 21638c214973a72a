"""A mosquitto that runs a configuration of docs/snippets as it stands there, but for addresses, folders and users."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.brokers import Mosquitto, password_file

SNIPPETS = Path(__file__).parents[2] / "docs/snippets"
USERS = {"press-07": "secret-07", "floor": "secret-floor", "ulm": "change-me"}


class Documented(Mosquitto):
    """`mosquitto-durable.conf` with its access list; with `centre`, it is a site with `mosquitto-bridge.conf`.

    `anonymous` leaves the users out, for a benchmark with a thousand of them.
    """

    def __init__(self, folder: Path, centre: Mosquitto | None = None, *, anonymous: bool = False) -> None:
        self._centre, self._anonymous = centre, anonymous
        (folder / "data").mkdir(parents=True)
        (folder / "acl").write_text((SNIPPETS / "mosquitto-acl").read_text())
        self._passwords = password_file(folder, USERS)
        super().__init__(folder)

    def _write_config(self) -> None:
        text = (SNIPPETS / "mosquitto-durable.conf").read_text()
        ours = {
            "listener 1883": f"listener {self.port} {self.host}",
            "/etc/mosquitto/passwd": str(self._passwords),
            "/etc/mosquitto/acl": str(self.folder / "acl"),
            "/var/lib/mosquitto/": f"{self.folder / 'data'}/",
        }
        if self._centre is not None:
            text += (SNIPPETS / "mosquitto-bridge.conf").read_text()
            ours["centre.example:1883"] = f"{self._centre.host}:{self._centre.port}"
        if self._anonymous:
            ours |= {
                "password_file /etc/mosquitto/passwd": "allow_anonymous true",
                "acl_file /etc/mosquitto/acl": "",
            }
            del ours["/etc/mosquitto/passwd"], ours["/etc/mosquitto/acl"]
        for documented, here in ours.items():
            head, *rest = text.partition(f"{documented}\n")
            assert rest[0], f"{documented} is not in the documented file"
            text = head + here + "\n" + rest[1]
        log = "" if self._anonymous else "log_type all\n"
        (self.folder / "mosquitto.conf").write_text(f"user root\n{log}{text}")

    def saved(self) -> bytes:
        """What stands on its disk."""
        path = self.folder / "data/mosquitto.db"
        return path.read_bytes() if path.exists() else b""
