"""Says when a source would hear what this daemon itself publishes: a decision that causes the next one, for ever."""

from __future__ import annotations

from collections.abc import Mapping

from edgeinfer.app.probe import Plugin, build
from edgeinfer.errors import Problem
from edgeinfer.mqtt.filters import meet


def check_loops(
    sources: Mapping[str, Plugin], sinks: Mapping[str, Plugin], device: str, problems: list[Problem]
) -> None:
    """Whatever the brokers are: they may be bridged. A source says what it `listens` to, a sink what it `published`."""
    for source in sources.values():
        for asked in getattr(build(source, device), "listens", ()):
            for name, sink in sinks.items():
                published = getattr(sink.cls, "published", lambda *_: ())(sink.options, device)
                if any(meet(asked, own) for own in published):
                    text = (
                        f"{asked!r} asks for what [sink.{name}] publishes ({', '.join(published)}): this device would "
                        "hear itself; name the topics of others, or give the sink another topic"
                    )
                    problems.append(Problem(source.part.where.at("topics"), text))
