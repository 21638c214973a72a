"""What `edgeinfer health` shows to people."""

from __future__ import annotations

from edgeinfer.cli.health import as_text
from edgeinfer.runtime.health import Health
from edgeinfer.testing.clock import FakeClock


def shown(health: Health) -> str:
    device = {"device": "press-07", "version": "0", "config": "sha256:0", "outbox": {}}
    return as_text(device | health.snapshot())


def test_a_post_that_complains_is_degraded_since_it_first_did_however_its_words_change() -> None:
    clock = FakeClock()
    health = Health(clock)
    health.mark("pipeline.parts", "ok")
    well = shown(health)
    report = health.reporter("pipeline.parts")
    report("model", "external: no device (the CPU goes on)")
    first = shown(health)
    clock.advance(60)
    report("model", "external: died of SIGABRT (the CPU goes on)")
    second = shown(health)
    report("model", None)
    assert "press-07 is degraded" in first
    since = first.partition("degraded  since ")[2].split()[0]
    assert since in second
    assert "died of SIGABRT" in second
    assert shown(health) == well
