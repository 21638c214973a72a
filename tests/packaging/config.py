"""The config of the machines: our own belt, our own model, the machine's own broker."""

CONFIG = """\
device = "press-07"

[source.belt]
kind = "synthetic"
fps = 15
seed = 3

[model.parts]
bundle = "parts"

[rule.parts-in-view]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
score = 0.6

[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["parts-in-view"]

[sink.broker]
kind = "mqtt"
url = "mqtt://127.0.0.1:1883"
"""
PATH = "/etc/edgeinfer/config.toml"
TOPIC = "edgeinfer/press-07/decision/#"
