from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.paused import Paused
from edgeinfer.runtime.states import States
from edgeinfer.testing.clock import FakeClock
from tests.runtime.decisions import Board


def test_a_paused_pipeline_says_so_in_health_and_its_rules_are_unknown(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", "press-07", FakeClock(), report=Board())
    states, health = States(outbox, {"hot": "watch"}), Health(FakeClock())
    post = Paused("watch", ["hot"], states, health)
    post.start()
    assert health.post("pipeline.watch").condition == "paused"
    assert health.degraded() == {}  # somebody wanted it so
    assert states.all()[0].decision.details == {"reason": "paused"}
    assert post.stop(1)
    outbox.close()
