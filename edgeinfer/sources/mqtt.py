"""The source `mqtt`: what others publish becomes readings or triggers, stamped when it arrives; it publishes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edgeinfer.config.values import check_seconds
from edgeinfer.errors import DeliveryError, InputError, SourceLost
from edgeinfer.events import Readings, Trigger
from edgeinfer.mqtt import access, filters
from edgeinfer.mqtt.access import Access, Use
from edgeinfer.mqtt.caller import Caller
from edgeinfer.mqtt.pace import Pace
from edgeinfer.ports import Flow, SinkPlace, SourcePlace, Stop, no_will
from edgeinfer.sources.mqtt_payload import Bad, Channel, context, numbers

if TYPE_CHECKING:  # paho takes 80 ms to import: where no broker is configured, nobody pays for it
    from edgeinfer.mqtt.link import Link

_HELD = 1000  # samples that wait while the feed is busy
_LOOK_S = 0.2  # how often a stop and a lost connection are looked for
_NEVER_S = 86_400.0  # who reports when something happens is not lost while nothing does


class MqttOptions(Access, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See docs/sources.md: `channels` for readings, or `trigger`, and `context` with it."""

    topics: tuple[str, ...] = ()
    channels: dict[str, str | Channel] = msgspec.field(default_factory=dict)
    trigger: bool = False
    context: dict[str, str] = msgspec.field(default_factory=dict)
    retained: bool | None = None
    block_s: float = 0.0


class Mqtt:
    """Meters: `bad.KIND` (payloads that say nothing), `retained` (passed over), `overrun` (came faster than they were taken).

    Raises:
        InputError: an option is wrong in itself, or a file that is named cannot be used.
    """

    Options = MqttOptions
    flow: Flow = "queue"

    def __init__(self, options: MqttOptions, place: SourcePlace) -> None:
        self._options, self._place = options, place
        self._channels = {name: _channel(written) for name, written in options.channels.items()}
        self.listens = _topics(options, self._channels)
        _check(options, self.listens)
        self.block_s = options.block_s or _NEVER_S
        self._told: dict[str, str] = {}  # kind → what was wrong with the first of that kind
        self._samples: Queue[Readings | Trigger] = Queue(_HELD)
        self._gap = self._again = False
        retained = not options.trigger if options.retained is None else options.retained
        self._caller = Caller(options, self._subscriber(), Pace(), Use(retained=retained))

    def _subscriber(self) -> SinkPlace:
        place = self._place
        name = f"source-{place.name}"
        return SinkPlace(
            name,
            place.device,
            place.machine_id,
            no_will,
            place.report,
            self.listens,
            self._heard,
            place.meters,
        )

    def samples(self, stop: Stop) -> Iterator[Readings | Trigger]:
        """One for each message that says something.

        Raises:
            SourceLost: no broker takes us, or the connection broke.
        """
        self._samples = Queue(_HELD)
        self._gap, self._again = self._again, True
        self._told.clear()
        self._place.report("payload", None)
        link = self._call()
        try:
            while not stop.is_set():
                try:
                    sample = self._samples.get(timeout=_LOOK_S)
                except Empty:
                    if link.lost is not None:
                        raise SourceLost(link.lost) from None
                    continue
                yield sample
        finally:
            link.close()

    def _call(self) -> Link:
        failed: dict[str, None] = {}
        for at in range(len(self._caller)):
            try:
                return self._caller.call(at)
            except (DeliveryError, InputError) as error:
                failed[str(error)] = None
        raise SourceLost("; ".join(failed))

    # --- in the thread of the connection ------------------------------------------------------------------

    def _heard(self, topic: str, payload: bytes) -> None:
        try:
            self._samples.put_nowait(self._sample(topic, payload))
        except Bad as bad:
            self._tell(bad)
        except Full:
            self._gap = True
            self._place.meters.count("overrun")

    def _sample(self, topic: str, payload: bytes) -> Readings | Trigger:
        if self._options.trigger:
            said = context(topic, payload, self._options.context)
            return Trigger(*self._place.stamp(), said)
        found = numbers(topic, payload, self._channels)
        gap, self._gap = self._gap, False
        row = np.array([list(found.values())], np.float64)
        return Readings(*self._place.stamp(), tuple(found), row, gap_before=gap)

    def _tell(self, bad: Bad) -> None:
        self._place.meters.count(f"bad.{bad.kind}")
        if bad.kind not in self._told:
            self._told[bad.kind] = bad.text
            self._place.report("payload", "; ".join(self._told.values()))


def _channel(written: str | Channel) -> Channel:
    return Channel(value=written) if isinstance(written, str) else written


def _topics(options: MqttOptions, channels: dict[str, Channel]) -> tuple[str, ...]:
    """What is named, or else what the channels name."""
    return options.topics or tuple(dict.fromkeys(c.topic for c in channels.values() if c.topic))


def _check(options: MqttOptions, topics: tuple[str, ...]) -> None:
    access.check(options)
    if options.trigger and options.channels:
        raise InputError(
            "channels: a trigger has none; write a second source for the readings, or context = { … }"
        )
    if not options.trigger and not options.channels:
        raise InputError(
            'channels: expected at least one, such as channels = { temp = "data.temp" }, or trigger = true'
        )
    if options.context and not options.trigger:
        raise InputError("context: it belongs to a trigger; write trigger = true beside it")
    if not topics:
        raise InputError('topics: expected at least one, such as topics = ["line3/oven/#"], found none')
    for topic in topics:
        filters.check("topics", topic)
    for name, channel in options.channels.items():
        if isinstance(channel, Channel) and channel.topic:
            filters.check(f"channels.{name}", channel.topic)
            if not any(filters.meet(channel.topic, topic) for topic in topics):
                raise InputError(
                    f"channels: {name} waits for {channel.topic!r}, and no entry of topics asks for that"
                )
    if options.block_s:
        check_seconds("block_s", options.block_s, least_s=1.0)
