"""A node's microseconds to the host's nanoseconds (docs/firmware.md, "Time"), pure; asks no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

KEPT = 64
MIN_SPAN_NS = 500_000_000  # below that, jitter says more than drift


@dataclass(frozen=True, slots=True)
class _Exchange:
    host_ns: int
    node_us: float
    trip_ns: int


class NodeClock:
    """Offset and drift from round trips; one for each run of a node."""

    def __init__(self) -> None:
        self._seen: deque[_Exchange] = deque(maxlen=KEPT)
        self._newest_us: int | None = None
        self._line = (0, 0.0, 1000.0)  # host_ns, node_us, ns per us

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
        return (self._line[2] / 1000 - 1) * 1e6

    def add(self, asked_ns: int, answered_ns: int, received_us: int, sent_us: int) -> None:
        """One TIME exchange: host's times of both ends, node's times (modulo 2^32) in between."""
        self._newest_us = received = self._unwrap(received_us)
        rest_us = (sent_us - received_us) & 0xFFFFFFFF
        trip_ns = max(answered_ns - asked_ns - rest_us * 1000, 0)
        self._seen.append(_Exchange((asked_ns + answered_ns) // 2, received + rest_us / 2, trip_ns))
        self._line = self._fit()

    def host_ns(self, node_us: int) -> int | None:
        """The host's time of a moment (modulo 2^32 us) less than 35 minutes from the newest exchange.

        None before the first exchange.
        """
        if self._newest_us is None:
            return None
        host_ns, origin_us, slope = self._line
        return host_ns + round((self._unwrap(node_us) - origin_us) * slope)

    def _unwrap(self, node_us: int) -> int:
        if self._newest_us is None:
            return node_us
        ahead = (node_us - self._newest_us + 0x80000000) & 0xFFFFFFFF
        return self._newest_us + ahead - 0x80000000

    def _fit(self) -> tuple[int, float, float]:
        """A least squares line through the quarter (at least 4) with the shortest round trips."""
        best = sorted(self._seen, key=lambda one: one.trip_ns)[: max(4, len(self._seen) // 4)]
        n, zero_ns = len(best), best[0].host_ns
        mid_us = sum(one.node_us for one in best) / n
        mid_ns = sum(one.host_ns - zero_ns for one in best) / n
        spread = sum((one.node_us - mid_us) ** 2 for one in best)
        span_ns = max(one.host_ns for one in best) - min(one.host_ns for one in best)
        if span_ns < MIN_SPAN_NS or not spread:
            return zero_ns + round(mid_ns), mid_us, 1000.0
        both = sum((one.node_us - mid_us) * (one.host_ns - zero_ns - mid_ns) for one in best)
        return zero_ns + round(mid_ns), mid_us, both / spread
