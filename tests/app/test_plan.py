from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from edgeinfer.app import looking, plan
from edgeinfer.app.blueprint import draw
from edgeinfer.config import loads

MODEL = '[model.parts]\nbundle = "parts"\nthreads = {threads}\n[source.belt]\nkind = "synthetic"\n[sink.out]\nkind = "console"\n'
PIPELINE = """
[rule.r{n}]
kind = "presence"
label = "good"
[pipeline.p{n}]
source = "belt"
model = "parts"
rules = ["r{n}"]
"""


@pytest.mark.parametrize(
    ("threads", "pipelines", "cores", "given"),
    [(0, 1, 4, 4), (0, 3, 4, 1), (0, 2, 4, 2), (3, 2, 4, 3), (1, 1, 4, 1)],
)
def test_cores_are_shared_out_evenly_where_that_is_asked_for(monkeypatch, threads, pipelines, cores, given):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    config = MODEL.format(threads=threads) + "".join(PIPELINE.format(n=n) for n in range(pipelines))
    blueprint = draw(loads(config, "c.toml"))
    model = blueprint.models["parts"]
    predictor = looking.open_here("p", model.bundle, looking.with_threads(model, blueprint), None)
    assert f"{given} thread" in predictor.runtime
    predictor.close()


TWO_TIERS = """
[rule.r0]
kind = "presence"
label = "good"
[rule.x]
kind = "not"
rule = "r0"
[rule.y]
kind = "not"
rule = "x"
[pipeline.look]
source = "belt"
model = "parts"
rules = ["r0"]
[pipeline.second]
inputs = ["rule:r0"]
rules = ["x"]
[pipeline.third]
inputs = ["rule:x"]
rules = ["y"]
"""


@pytest.mark.parametrize(("pace", "flow"), [("lockstep", "lockstep"), ("real", "queue")])
def test_decisions_come_in_lockstep_where_all_behind_them_does(tmp_path, pace, flow):
    cv2.imwrite(str(tmp_path / "part.png"), np.zeros((8, 8, 3), np.uint8))
    video = f'kind = "camera"\nfrom = "{tmp_path}"\npace = "{pace}"\n'
    config = MODEL.format(threads=1).replace('kind = "synthetic"\n', video) + TWO_TIERS
    assert plan._flows((), ("rule:r0", "rule:x"), draw(loads(config, "c.toml"))) == {
        "rule:r0": flow,
        "rule:x": flow,
    }
