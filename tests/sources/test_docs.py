"""The examples of docs/sources.md are configs that work as far as a machine without cameras can tell."""

import re
import sys
from pathlib import Path
from threading import Event

import msgspec
import pytest

from edgeinfer.registry import find
from edgeinfer.sources.pipe import Pipe
from edgeinfer.testing.sources import source_place
from tests.sources.conftest import make, take

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCS = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
EXAMPLES = [
    pytest.param(table, id=f"{name}-{table['kind']}")
    for block in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    for name, table in tomllib.loads(block)["source"].items()
]


@pytest.mark.parametrize("table", EXAMPLES)
def test_an_example_is_a_config(table):
    plugin = find("sources", table["kind"])
    options = msgspec.convert({k: v for k, v in table.items() if k != "kind"}, plugin.Options)
    if table["kind"] != "camera":  # a camera's files need to be there
        plugin(options, source_place())


@pytest.mark.parametrize("kind", ["camera", "mqtt", "pipe", "synthetic"])
def test_every_option_is_explained(kind):
    part = DOCS.split(f"\n## {kind}\n")[1].split("\n## ")[0]
    known = [field.encode_name for field in msgspec.structs.fields(find("sources", kind).Options)]
    assert [name for name in known if f"`{name}`" not in part] == []


def test_messages_on_standard_output_do_not_shift_the_pictures_of_the_jetson_recipe():
    noisy = "exec 3>&1 1>&2; echo GST_ARGUS: Creating output stream; exec gst-launch-1.0 -q videotestsrc is-live=true"
    caps = "video/x-raw,format=I420,width={width},height={height}"
    source = make(Pipe, command=["sh", "-c", f"{noisy} pattern=blue ! {caps} ! fdsink fd=3"], size=[160, 120])
    (frame,) = take(source, 1, Event())
    blue = frame.pixels.reshape(-1, 3).astype(int)
    assert blue[:, 0].min() > 240
    assert blue[:, 1:].max() < 15
