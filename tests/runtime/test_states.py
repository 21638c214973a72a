from pathlib import Path

import pytest

from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.testing.clock import FakeClock
from tests.runtime.decisions import Board, decided


@pytest.fixture
def outbox(tmp_path: Path):
    made = Outbox(tmp_path / "outbox.db", "press-07", FakeClock(), report=Board())
    yield made
    made.close()


def test_every_rule_starts_unknown_and_says_why(outbox):
    (entry,) = States(outbox, {"scratched": "inspection"}).all()
    assert (entry.decision.state, entry.decision.details) == ("unknown", {"reason": "starting"})
    assert (entry.decision.pipeline, entry.device, entry.id) == ("inspection", "press-07", "")


def test_the_last_decision_of_a_rule_is_its_state(outbox):
    states = States(outbox, {"scratched": "inspection"})
    states.update(
        outbox.append([decided(outbox.clock, 0, state="on"), decided(outbox.clock, 1, state="off")])
    )
    assert [e.decision.state for e in states.all()] == ["off"]


def test_a_decision_of_a_rule_that_is_not_in_the_config_is_no_state(outbox):
    states = States(outbox, {"scratched": "inspection"})
    states.update(outbox.append([decided(outbox.clock, rule="other")]))
    assert [e.decision.rule for e in states.all()] == ["scratched"]


def test_a_reload_keeps_what_stays_and_forgets_the_rest(outbox):
    states = States(outbox, {"a": "p", "b": "p"})
    states.update(outbox.append([decided(outbox.clock, rule="a"), decided(outbox.clock, rule="b")]))
    states.replan({"b": "p", "c": "p"})
    assert [(e.decision.rule, e.decision.state) for e in states.all()] == [("b", "on"), ("c", "unknown")]
    assert states.version == 2


def test_an_end_leaves_the_memory_as_it_is(outbox):
    states = States(outbox, {"scratched": "inspection"})
    states.update(outbox.append([decided(outbox.clock)]))
    (ended,) = states.ended()
    assert (ended.decision.state, ended.decision.details, ended.seq) == ("unknown", {"reason": "stopped"}, 1)
    assert states.all()[0].decision.state == "on"


def test_rules_that_are_set_aside_are_unknown_with_the_reason_and_are_told_anew(outbox):
    states = States(outbox, {"a": "p", "b": "p"})
    states.update(outbox.append([decided(outbox.clock, rule="a"), decided(outbox.clock, rule="b")]))
    before = states.version
    states.set_aside(["a", "elsewhere"], "paused")
    found = {
        e.decision.rule: (e.decision.state, e.decision.details.get("reason"), e.id) for e in states.all()
    }
    assert found["a"] == ("unknown", "paused", "")
    assert found["b"][0] == "on"
    assert states.version == before + 1
    states.set_aside(["a"], "paused")
    assert states.version == before + 1


def test_a_decision_that_says_so_itself_stays(outbox):
    states = States(outbox, {"a": "p"})
    states.update(outbox.append([decided(outbox.clock, rule="a", state="unknown", reason="paused")]))
    states.set_aside(["a"], "paused")
    assert states.all()[0].id
