"""A node's microseconds to the host's nanoseconds (docs/firmware.md, "Time"), pure; asks no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import copysign

KEPT = 64
FEW = 4  # exchanges; below that, nothing is known about the rate
LEAST_DOUBT_NS = 50_000  # no exchange is trusted further: the node's interrupt, the host's system calls
FASTEST = 0.05  # by how much an RC oscillator may be off (ATmega328P data sheet: 10 %, calibrated 1-5 %)
SUDDEN = 0.001  # by how much a rate that was measured may be off a few seconds later
SLACK_NS = 1_000_000
CAUTION = (
    0.5  # the part of a rate's standard error that counts as unproven: best over quartz and RC in simulation
)


@dataclass(frozen=True, slots=True)
class _Exchange:
    host_ns: int
    node_us: float
    trip_ns: int


@dataclass(frozen=True, slots=True)
class _Line:
    host_ns: float
    node_us: float
    ns_per_us: float = 1000.0
    doubt: float = 1000.0 * FASTEST  # of ns_per_us

    def at(self, node_us: float) -> int:
        return round(self.host_ns + (node_us - self.node_us) * self.ns_per_us)


class NodeClock:
    """Offset and drift from round trips; one for each run of a node."""

    def __init__(self) -> None:
        self._seen: deque[_Exchange] = deque(maxlen=KEPT)
        self._newest_us: int | None = None
        self._line = _Line(0, 0.0)
        self.steps = 0

    steps: int
    """How often the two clocks had jumped apart (a suspended host) and all was forgotten."""

    @property
    def exchanges(self) -> int:
        return len(self._seen)

    @property
    def error_ns(self) -> int:
        """Half the best round trip: the middle of an exchange is not further off than that."""
        return min((one.trip_ns for one in self._seen), default=0) // 2

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the node's."""
        return (self._line.ns_per_us / 1000 - 1) * 1e6

    def add(self, asked_ns: int, answered_ns: int, received_us: int, sent_us: int) -> None:
        """One TIME exchange: host's times of both ends, node's times (modulo 2^32) in between.

        An answer that the node made longer than the host waited is the answer to an earlier request: it is left out.
        """
        received, rest_us = self._unwrap(received_us), (sent_us - received_us) & 0xFFFFFFFF
        trip_ns = answered_ns - asked_ns - rest_us * 1000
        if trip_ns < -rest_us * 1000 * FASTEST:
            return
        one = _Exchange((asked_ns + answered_ns) // 2, received + rest_us / 2, max(trip_ns, 0))
        if self._apart(one):
            self._seen.clear()
            self.steps += 1
        self._newest_us = received
        self._seen.append(one)
        self._line = _fit(self._seen)

    def host_ns(self, node_us: int) -> int | None:
        """The host's time of a moment (modulo 2^32 us) less than 35 minutes from the newest exchange.

        None before the first exchange.
        """
        if self._newest_us is None:
            return None
        return self._line.at(self._unwrap(node_us))

    def _unwrap(self, node_us: int) -> int:
        if self._newest_us is None:
            return node_us
        ahead = (node_us - self._newest_us + 0x80000000) & 0xFFFFFFFF
        return self._newest_us + ahead - 0x80000000

    def _apart(self, one: _Exchange) -> bool:
        """Whether no drift explains this exchange: one of the clocks stood still, or jumped."""
        if not self._seen:
            return False
        since_ns = abs(one.host_ns - self._seen[-1].host_ns)
        rate_ns = self._line.doubt * abs(one.node_us - self._line.node_us)
        explained = (one.trip_ns + self._seen[-1].trip_ns) / 2 + rate_ns + SUDDEN * since_ns + SLACK_NS
        return abs(self._line.at(one.node_us) - one.host_ns) > explained


def _fit(seen: deque[_Exchange]) -> _Line:
    """A least squares line, each exchange weighted by what its round trip exceeds the shortest.

    Its slope differs from 1 only as far as the exchanges prove it: over a second, a millisecond of jitter looks like
    1000 ppm of drift, and carried two seconds ahead it would cost more than it mends.
    """
    trips = sorted(one.trip_ns for one in seen)
    shortest = trips[0]
    floor = max((trips[min(FEW, len(trips)) - 1] - shortest) / 2, LEAST_DOUBT_NS)
    weights = [1 / ((one.trip_ns - shortest) / 2 + floor) ** 2 for one in seen]
    zero_ns, total = seen[0].host_ns, sum(weights)
    mid_us = sum(w * one.node_us for w, one in zip(weights, seen, strict=True)) / total
    # what a rate of exactly 1 leaves over
    late_ns = [one.host_ns - zero_ns - (one.node_us - mid_us) * 1000 for one in seen]
    mid_ns = sum(w * late for w, late in zip(weights, late_ns, strict=True)) / total
    if len(seen) < FEW:
        return _Line(zero_ns + mid_ns, mid_us)
    spread = sum(w * (one.node_us - mid_us) ** 2 for w, one in zip(weights, seen, strict=True))
    both = sum(
        w * (one.node_us - mid_us) * (late - mid_ns)
        for w, one, late in zip(weights, seen, late_ns, strict=True)
    )
    found, doubt = both / spread, spread**-0.5
    proven = max(abs(found) - CAUTION * doubt, 0.0)
    return _Line(zero_ns + mid_ns, mid_us, 1000.0 + copysign(proven, found), 2 * doubt)
