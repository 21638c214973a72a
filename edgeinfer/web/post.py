"""The post `web`: listens where the config says, again and again when the address cannot be had, until the daemon stops."""

from __future__ import annotations

import socket

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.fronts import Inside
from edgeinfer.app.plan import DOOR, digest
from edgeinfer.app.web_options import WebOptions
from edgeinfer.errors import DeviceError, InputError
from edgeinfer.runtime.loop import Loop
from edgeinfer.runtime.supervisor import Plan, Spec
from edgeinfer.secrets import read_token
from edgeinfer.web.facts import Facts
from edgeinfer.web.guard import Guard
from edgeinfer.web.live import Pictures
from edgeinfer.web.pages import Pages
from edgeinfer.web.server import Server, tls_of
from edgeinfer.web.view import View

POST = "web"


def planned(blueprint: Blueprint, inside: Inside) -> Plan:
    """The one post. It is made anew with each config, so that it shows the rules that run; browsers connect again."""
    identity = digest(blueprint.config.one("web"), blueprint.config.digest)
    return {POST: Spec(lambda: Web(blueprint, inside), identity, DOOR)}


class Web:
    """Serves in threads of its own; the loop only accepts."""

    def __init__(self, blueprint: Blueprint, inside: Inside) -> None:
        self._blueprint, self._inside = blueprint, inside
        self._view = View()
        self._meters = inside.health.post(POST).meters
        self._loop = Loop(POST, self._run, inside.health, inside.fatal)

    def start(self) -> None:
        self._inside.taps.add(self._view.tap)
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        self._inside.taps.remove(self._view.tap)
        return self._loop.join(timeout_s)

    def watch(self, now_ns: int) -> None:
        """Nothing to do: a page that hangs holds up nobody."""

    def _run(self, loop: Loop) -> None:
        options = self._blueprint.web
        try:
            tls = tls_of({"cert": options.cert, "key": options.key})
            guard = self._guarded(options, loop)
            server = Server(options.place, guard, tls)
        except (OSError, InputError) as error:
            raise DeviceError(f"the page cannot listen at {options.listen}: {_why(error)}") from error
        with server:
            scheme = "http" if tls is None else "https"
            self._inside.health.post(POST).facts["address"] = f"{scheme}://{options.listen}"
            loop.well()
            while not loop.stop.is_set():
                loop.beat()
                server.handle_request()
                self._meters.counters["refused_full"] = server.refused

    def _guarded(self, options: WebOptions, loop: Loop) -> Guard:
        facts = Facts(lambda: self._blueprint, self._inside)
        pages = Pages(facts, self._view, Pictures(self._view, facts.shapes), loop.stop)
        token = read_token(options.token_file) if options.token_file else ""
        return Guard(pages.app(), token, names(options), "https" if options.cert else "http")


def names(options: WebOptions) -> frozenset[str]:
    """By which browsers may call this device: `localhost`, its host name (also with .local), and `hosts`."""
    own = socket.gethostname().lower()
    return frozenset({"localhost", own, f"{own}.local", *(host.lower() for host in options.hosts)})


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
