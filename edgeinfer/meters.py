"""Counters and histograms that cost a fraction of a microsecond; each is written by one thread only."""

from __future__ import annotations

from dataclasses import dataclass, field

_SUB = 8  # buckets an octave: a percentile is right to within 1/8 (HdrHistogram's idea, three bits)
_BUCKETS = 64 * _SUB


class Histogram:
    """Durations in nanoseconds, in logarithmic buckets: constant memory, percentiles within 12.5 %."""

    __slots__ = ("_counts", "count", "max_ns", "sum_ns")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0

    def record(self, ns: int) -> None:
        ns = max(ns, 0)
        self._counts[_bucket(ns)] += 1
        self.count += 1
        self.sum_ns += ns
        self.max_ns = max(self.max_ns, ns)

    def percentile(self, share: float) -> int:
        """The upper edge of the bucket that holds `share` (0..1) of all, in ns; 0 when empty."""
        wanted, seen = share * self.count, 0
        for bucket, n in enumerate(self._counts):
            seen += n
            if n and seen >= wanted:
                return min(_upper_ns(bucket), self.max_ns)
        return 0

    def summary_ms(self) -> dict[str, float]:
        names = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        found = {name: round(self.percentile(share) / 1e6, 3) for name, share in names.items()}
        return found | {"max": round(self.max_ns / 1e6, 3), "n": self.count}


def _bucket(ns: int) -> int:
    if ns < _SUB:
        return ns
    octave = ns.bit_length() - 4
    return min((octave + 1) * _SUB + (ns >> octave) - _SUB, _BUCKETS - 1)


def _upper_ns(bucket: int) -> int:
    if bucket < _SUB:
        return bucket
    octave, sub = divmod(bucket, _SUB)
    return ((_SUB + sub + 1) << (octave - 1)) - 1


@dataclass
class Meters:
    """The counters, gauges and histograms of one post, made on first use."""

    counters: dict[str, int] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + by

    def record(self, name: str, ns: int) -> None:
        histogram = self.histograms.get(name)
        if histogram is None:
            histogram = self.histograms[name] = Histogram()
        histogram.record(ns)

    def snapshot(self) -> dict[str, object]:
        stages = {name: h.summary_ms() for name, h in list(self.histograms.items())}
        return dict(self.counters) | dict(self.gauges) | ({"latency_ms": stages} if stages else {})
