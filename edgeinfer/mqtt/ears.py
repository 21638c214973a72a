"""What a connection listens to, and who hears what comes: the encoder, or whoever takes commands; decides nothing."""

from __future__ import annotations

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.subscribeoptions import SubscribeOptions

from edgeinfer.mqtt.client import Dial
from edgeinfer.ports import Heard, SinkPlace


class Ears:
    """The subscriptions of one connection; for paho's thread."""

    def __init__(self, client: Client, dial: Dial) -> None:
        self._client, self._dial = client, dial
        self._under_way: dict[int, str] = {}  # packet id → topic
        self._denied: list[str] = []

    def listen(self) -> None:
        """Once the broker has taken us."""
        for topic in self._dial.place.listens:
            self._note(self._client.subscribe(topic, 1), topic)
        for topic in self._dial.place.asks:
            self._note(self._ask(topic), topic)

    def _ask(self, topic: str) -> tuple[object, int | None]:
        """With MQTT 5 the broker says of a live message, too, whether it was meant to be retained (5, 3.8.3.1)."""
        if self._dial.version != 5:
            return self._client.subscribe(topic, 1)
        options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
        return self._client.subscribe(topic, options=options)

    def _note(self, told: tuple[object, int | None], topic: str) -> None:
        if told[1] is not None:
            self._under_way[told[1]] = topic

    def granted(self, mid: int, *, refused: bool) -> tuple[str, ...]:
        """The broker has answered; all topics that it does not let us read."""
        topic = self._under_way.pop(mid, "")
        if refused:
            self._denied.append(topic)
        return tuple(self._denied)


def pass_on(message: MQTTMessage, place: SinkPlace) -> None:
    """To the one who wants to hear it."""
    if not any(_under(message.topic, topic) for topic in place.asks):
        place.heard(message.topic, bytes(message.payload))
        return
    said = message.properties
    place.asked(
        Heard(
            message.topic,
            bytes(message.payload),
            bool(message.retain),
            getattr(said, "ResponseTopic", ""),
            getattr(said, "CorrelationData", b""),
            getattr(said, "MessageExpiryInterval", None),
        )
    )


def _under(topic: str, asks: str) -> bool:
    """Whether `topic` is one level below, for `asks` that end in a plus."""
    return topic.rpartition("/")[0] == asks.removesuffix("/+")
