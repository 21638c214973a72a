"""The whole line on built-in parts: a rendered belt, a motor on a simulated node, models, rules, an outbox, a broker.

Shows decisions as they come and the line to type in a second terminal to subscribe to them. Ctrl-C (or --for)
ends it with a summary.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.cli.setting import seconds, stop_after
from edgeinfer.config import loads
from edgeinfer.meters import Histogram
from edgeinfer.testing.broker import Broker, broker
from edgeinfer.testing.motor import motor

_FAILS_AFTER_S = 4.0

CONFIG = """\
device = "demo"

[source.belt]                      # a rendered conveyor belt; a real one has kind = "camera"
kind = "synthetic"
fps = 15
seed = 3

[model.parts]
bundle = "parts"

[rule.scratched]
kind = "presence"
label = "scratched"
score = 0.6
for_s = 0.2
clear_s = 0.5

[rule.hole-missing]
kind = "presence"
label = "hole_missing"
score = 0.6
for_s = 0.2
clear_s = 0.5

[rule.parts-in-view]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
score = 0.6
for_s = 0.3

[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["scratched", "hole-missing", "parts-in-view"]

[sink.terminal]
kind = "console"
"""

MOTOR = """
[source.motor]                     # a node that speaks our protocol; here a simulated one on a pseudo-terminal
kind = "serial"
port = "{port}"
node = "press-vibration"

[model.vibration]
bundle = "vibration"

[rule.bearing]                     # its bearing begins to fail after some seconds
kind = "threshold"
value = "anomaly"
on_above = 1.0
for_s = 0.4
clear_s = 2.0

[pipeline.condition]
source = "motor"
model = "vibration"
rules = ["bearing"]
"""

BROKER = """
[sink.broker]
kind = "mqtt"
url = "mqtt://127.0.0.1:{port}"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for", dest="for_s", type=seconds, metavar="S", help="end after S seconds (default: Ctrl-C)"
    )
    parser.add_argument(
        "--mqtt-port",
        type=int,
        default=0,
        metavar="P",
        help="port of the demo's broker (default: a free one)",
    )
    parser.add_argument(
        "--no-mqtt", action="store_true", help="without a broker: decisions in this terminal only"
    )
    parser.add_argument("--config", action="store_true", help="print the config that the demo runs, and end")


def main(args: argparse.Namespace) -> int:
    if args.config:
        motor_port = "/dev/serial/by-id/usb-edgelink_press-vibration"
        print(CONFIG + MOTOR.format(port=motor_port) + BROKER.format(port=args.mqtt_port or 1883), end="")
        return 0
    with contextlib.ExitStack() as stack:
        own = None if args.no_mqtt else stack.enter_context(broker(args.mqtt_port))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeinfer-demo-")))
        line = stack.enter_context(motor(folder, _FAILS_AFTER_S))
        config = CONFIG + MOTOR.format(port=line.port) + (BROKER.format(port=own.port) if own else "")
        return _run(own, config, folder, args.for_s)


def _run(own: Broker | None, config: str, folder: Path, for_s: float | None) -> int:
    blueprint = draw(loads(config, "the demo's config"))
    daemon = Daemon(Setting(blueprint, lambda: blueprint, folder / "state"))
    daemon.heed_signals()
    _greet(own, for_s)
    stop_after(daemon, for_s)
    code = daemon.run()
    print(_summary(daemon, own), file=sys.stderr)
    return code


def _greet(own: Broker | None, for_s: float | None) -> None:
    lines = [
        "A belt is rendered, and each picture goes through the parts model. A motor vibrates behind a serial port:",
        f"its bearing begins to fail after {_FAILS_AFTER_S:.0f} s. Rules decide; decisions:",
    ]
    if own:
        lines.insert(0, f"Broker: {own.name} on port {own.port}. In a second terminal, subscribe:")
        lines.insert(1, f"\n    mosquitto_sub -p {own.port} -t 'edgeinfer/demo/#' -v\n")
    lines.append("" if for_s is not None else "(Ctrl-C ends it)\n")
    print("\n".join(lines), file=sys.stderr)


def _summary(daemon: Daemon, own: Broker | None) -> str:
    line, motor_line = (daemon.health.post(f"pipeline.{name}").meters for name in ("inspection", "condition"))
    invoke = line.histograms.get("invoke", Histogram())
    n = line.counters.get
    lines = [
        "",
        f"frames {n('frames', 0)}  dropped {n('dropped', 0)}  decisions {n('decisions', 0)}",
        f"readings {motor_line.counters.get('rows', 0)}  decisions {motor_line.counters.get('decisions', 0)}",
        f"parts model       {_percentiles(invoke)}",
    ]
    if own:
        acked = daemon.health.post("sink.broker").meters.histograms.get("acknowledged", Histogram())
        lines.append(f"capture → broker  {_percentiles(acked)}")
    return "\n".join(lines)


def _percentiles(histogram: Histogram) -> str:
    if not histogram.count:
        return "nothing measured"
    found = histogram.summary_ms()
    return "  ".join(f"{name} {found[name]:.1f} ms" for name in ("p50", "p95", "p99"))
