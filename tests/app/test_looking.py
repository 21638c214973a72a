"""What looks for a pipeline: real bundles, opened as a daemon opens them."""

from __future__ import annotations

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.crashes import Crashes
from edgeinfer.app.looking import Looking
from edgeinfer.app.plan import Services, plan
from edgeinfer.clock import SystemClock
from edgeinfer.commands.ledger import Ledger
from edgeinfer.commands.letterbox import Letterboxes, Office
from edgeinfer.commands.table import Commands
from edgeinfer.commons import Commons
from edgeinfer.config import loads
from edgeinfer.events import Frame
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.judging import Choice
from edgeinfer.runtime.mailbox import Hub
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.sources.belt import Belt, BeltSettings
from edgeinfer.taps import Taps
from tests.samples import at

CONFIG = """
device = "cell"
[source.belt]
kind = "synthetic"
[model.small]
bundle = "parts-small"
[model.parts]
bundle = "parts"
[rule.scratched]
kind = "presence"
label = "scratched"
[pipeline.p]
source = "belt"
rules = ["scratched"]
{pipeline}
[sink.out]
kind = "console"
"""
STAGES = """
model = "small"
track = {}
[[pipeline.p.stages]]
above = 0.1
model = "parts"
[[pipeline.p.stages]]
labels = "scratched"
model = "small"
on = "crop"
[[pipeline.p.stages]]
above = 0.4
below = 0.6
pictures = 3
"""
RECIPE = 'model = "parts"\ncontext = ["recipe"]\n[recipe.a]\nmodel.parts.bundle = "parts-small"\n'
PICTURE = Belt(BeltSettings(scratched=0.9, hole_missing=0.1)).render(5.0)


@pytest.fixture
def services(tmp_path):
    clock, health = SystemClock(), Health(SystemClock())
    outbox = Outbox(tmp_path / "outbox.sqlite", "cell", clock, report=lambda *_: None)
    crashes = Crashes(tmp_path, clock)
    ledger = Ledger(tmp_path, health.reporter("commands"))
    office = Office("cell", Commands({}), ledger, clock, lambda _: None, health.post("commands").meters)
    yield Services(
        clock=clock,
        health=health,
        outbox=outbox,
        states=States(outbox, {}),
        hub=Hub(),
        taps=Taps(),
        fatal=lambda *_: None,
        machine_id="",
        commons=Commons(tmp_path),
        crashes=crashes,
        letters=Letterboxes(office),
    )
    crashes.close()
    outbox.close()


def blueprint_of(pipeline):
    return draw(loads(CONFIG.format(pipeline=pipeline), "c.toml"))


def frame(n=0):
    return Frame(("belt", n), at(n), PICTURE)


def test_the_stages_of_a_config_look_in_order_and_are_counted(services):
    model = Looking("p", blueprint_of(STAGES), services, Choice()).open()
    seen = [model.predict(frame(n)) for n in range(2)][-1]
    model.close()
    counters = services.health.post("pipeline.p").meters.counters
    assert counters["parts.asked"] == 2
    assert counters["small.asked"] > 2  # the picture, and each crop
    assert {"small.invoke", "parts.invoke", "track"} <= set(seen.timings)
    assert all(finding.track for finding in seen.findings)
    assert model.identity.startswith("parts-small@")


def test_a_recipe_with_another_bundle_is_open_from_the_start_and_chosen_by_its_value(services):
    choice = Choice()
    model = Looking("p", blueprint_of(RECIPE), services, choice).open()
    identities = []
    for choice.recipe in ("", "a", ""):
        identities.append(model.predict(frame()).model.partition("@")[0])
    model.close()
    assert identities == ["parts", "parts-small", "parts"]


@pytest.mark.parametrize(
    "change", ["[recipe.a]\nmodel.parts.threads = 2\n", "[recipe.b]\nrule.scratched.score = 0.1\n"]
)
def test_a_pipeline_is_built_anew_when_a_recipe_that_it_obeys_changes(services, change):
    base = 'model = "parts"\ncontext = ["recipe"]\n'
    before = plan(blueprint_of(base + "[recipe.x]\nrule.scratched.score = 0.3\n"), services)
    after = plan(blueprint_of(base + "[recipe.x]\nrule.scratched.score = 0.3\n" + change), services)
    assert before["pipeline.p"].digest != after["pipeline.p"].digest
    assert before["source.belt"].digest == after["source.belt"].digest
