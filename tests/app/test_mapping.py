"""A map of rules to a PLC, as `check` sees it."""

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError

CONFIG = """
[source.a]
kind = "modbus"
{source}
registers = [{{ name = "x", address = 1 }}]
[rule.r]
kind = "threshold"
value = "x"
on_above = 1.0
[rule.parts]
kind = "count"
labels = ["part"]
[pipeline.p]
source = "a"
rules = ["r", "parts"]
[sink.plc]
kind = "modbus"
{sink}
unknown = "off"
[sink.plc.map]
{map}
"""


def drawn(map_, source='host = "10.0.0.9"', sink='host = "10.0.0.9"'):
    return draw(loads(CONFIG.format(map=map_, source=source, sink=sink), "c.toml"))


def told(*arguments, **options):
    with pytest.raises(ConfigError) as caught:
        drawn(*arguments, **options)
    (problem,) = caught.value.problems
    return str(problem)


def test_a_map_of_rules_that_exist_is_taken():
    assert drawn('r = "coil:3"\nparts = "holding:1"').sinks


def test_a_rule_that_does_not_exist_is_told_with_its_line():
    problem = told('rr = "coil:3"')
    assert "sink.plc.map.rr" in problem
    assert "no [rule.rr] in this config" in problem


def test_a_number_does_not_fit_a_coil():
    assert "[rule.parts] is a number, and a coil shows on and off" in told('parts = "coil:3"')


def test_two_rules_on_one_address_are_told():
    assert "holding 3 belongs to map.r already" in told('r = "holding:3"\nparts = "holding:3"')


def test_a_source_and_a_sink_on_one_port_do_not_fit():
    port = 'port = "/dev/ttyS9"'
    problem = told('r = "coil:3"', source=port, sink=port)
    assert "sink.plc.port" in problem
    assert "[source.a] has this port already" in problem
