"""The page on the device, as a post of the daemon: shows what it sees and decides, over HTTP; decides nothing itself."""

from __future__ import annotations

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.fronts import Inside
from edgeinfer.runtime.supervisor import Plan


def front(blueprint: Blueprint, inside: Inside) -> Plan:
    """The post `web` where the config has `[web] listen`; a `Front`. Nothing of it is imported where there is none."""
    if not blueprint.web.listen:
        return {}
    from edgeinfer.web.post import planned

    return planned(blueprint, inside)
