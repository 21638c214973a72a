"""What a daemon answers when it is asked why it decided."""

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.clock import StillClock
from edgeinfer.commands.table import Explain
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError, EdgeinferError
from edgeinfer.events import Frame
from edgeinfer.recording import read
from edgeinfer.runtime.event_shelf import find_event
from edgeinfer.taps import Account

CONFIG = """
device = "press"
[source.belt]
kind = "synthetic"
pace = "lockstep"
for_s = {for_s}
[model.parts]
bundle = "parts"
[rule.parts]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
score = 0.5
for_s = 0.0
[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["parts"]
{keep}
[sink.out]
kind = "console"
[state]
history = 100
"""


@pytest.fixture
def run(tmp_path):
    """A daemon that has seen some seconds of the belt, asked with its outbox still open; and what it decided."""

    def run_(keep="", for_s=3.0):
        blueprint = draw(loads(CONFIG.format(keep=keep, for_s=for_s), "c.toml"))
        daemon = Daemon(Setting(blueprint, lambda: blueprint, tmp_path / "state", clock=StillClock()))
        entries = []
        daemon.taps.add(
            lambda _post, seen: entries.extend(seen.entries) if isinstance(seen, Account) else None
        )
        answers = []
        daemon._exit.callback(
            lambda: answers.extend(map(daemon._explaining.answer, map(Explain, ids(entries))))
        )
        assert daemon.run() == 0
        return entries, answers, daemon

    return run_


def ids(entries):
    return [entry.id for entry in entries]


def test_a_decision_is_explained_with_findings_states_thresholds_and_stages(run):
    entries, answers, _ = run()
    assert len(entries) >= 2
    entry, answer = entries[1], answers[1]
    assert answer["decision"]["id"] == entry.id
    assert answer["decision"]["model"].startswith("parts@sha256:")
    assert answer["states"] == {"parts": [entries[0].decision.state, entry.decision.state]}
    assert len(answer["findings"]) >= entry.decision.state
    assert set(answer["timings_ms"]) == {"prepare", "invoke", "decode"}
    assert (answer["rule"]["kind"], answer["rule"]["score"]) == ("count", 0.5)
    assert answer["source"] == "belt"


def test_of_a_decision_that_was_never_made_it_says_so(run):
    daemon = run()[2]
    with pytest.raises(EdgeinferError, match="nothing is known of the decision 'aaaaaaaaaaaaaaaa'"):
        daemon._explaining.answer(Explain("aaaaaaaaaaaaaaaa"))


def test_pictures_are_kept_where_a_pipeline_wants_it(run, tmp_path):
    entries, answers, daemon = run("keep = { before_s = 1, after_s = 0.5 }")
    event, why = find_event(tmp_path / "state", entries[-1].id)
    assert why.states == answers[-1]["states"]
    assert entries[-1].decision.key in [s.key for s in read(event, pytest.fail) if isinstance(s, Frame)]
    assert daemon.health.post("events").meters.gauges["events"] >= 1


def test_without_keep_there_is_no_event_recorder(run, tmp_path):
    daemon = run()[2]
    assert "events" not in daemon.health.snapshot()["posts"]
    assert not (tmp_path / "state/events").exists()


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        ('keep = { rules = ["prats"] }', "'prats' is no rule of this pipeline"),
        (
            "keep = { before_s = 100 }",
            "expected a number of at least 0 and at most 60, found the whole number 100",
        ),
        ("keep = { befor_s = 1 }", "did you mean 'before_s'"),
    ],
)
def test_what_is_wrong_with_keep_is_told(run, keep, told):
    with pytest.raises(ConfigError, match=told):
        run(keep)
