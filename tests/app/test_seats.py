"""Sources on one port, as `check` sees them."""

from __future__ import annotations

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError

CONFIG = """
[source.a]
{first}
[source.b]
{second}
[rule.r]
kind = "threshold"
value = "x"
on_above = 1.0
[pipeline.p]
sources = ["a", "b"]
rules = ["r"]
[sink.out]
kind = "console"
"""
MODBUS = 'kind = "modbus"\nport = "{port}"\nregisters = [{{ name = "x", address = 1 }}]'


def serial(port, more=""):
    return f'kind = "serial"\nport = "{port}"\n{more}'


def address(n):
    return f"edgelink = {{ address = {n} }}"


def told(first, second):
    with pytest.raises(ConfigError) as caught:
        draw(loads(CONFIG.format(first=first, second=second), "c.toml"))
    (problem,) = caught.value.problems
    assert "source.b.port" in str(problem)
    return str(problem)


def test_nodes_with_an_address_each_may_share_a_port():
    first, second = (serial("/dev/ttyS9", address(n)) for n in (1, 2))
    assert len(draw(loads(CONFIG.format(first=first, second=second), "c.toml")).sources) == 2


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (serial("/dev/ttyS9", address(1)), "asks address 1 on this port already"),
        (serial("/dev/ttyS9"), "has this port already; nodes that share one have an address"),
        (serial("/dev/ttyS9", "baud = 9600\n" + address(2)), "opens this port with another baud"),
        (MODBUS.format(port="/dev/ttyS9"), "has this port already"),
    ],
)
def test_what_does_not_fit_beside_another_on_a_port_is_told(second, words):
    assert f"[source.a] {words}" in told(serial("/dev/ttyS9", address(1)), second)


def test_a_port_is_the_same_under_another_name(tmp_path):
    (tmp_path / "by-id").symlink_to("/dev/ttyS9")
    assert "has this port already" in told(serial("/dev/ttyS9"), serial(tmp_path / "by-id"))


def test_a_node_without_a_port_is_accepted():
    node = 'kind = "serial"\nnode = "press-vibration"'
    assert draw(loads(CONFIG.format(first=node, second=serial("/dev/ttyS9")), "c.toml")).sources["a"]
