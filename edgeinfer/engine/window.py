"""A window of readings into the numbers that a model takes: raw, or spectra; collects nothing and infers nothing.

The training code calls the same function, so that what a model learnt is what it gets.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.store import WindowOptions

Array = NDArray[Any]
Floats = NDArray[np.float32]

_FLOOR = 1e-12
"""Added before a logarithm, in the square of the channel's unit per Hz: silence is -12 and not minus infinity."""


def features(window: Array, options: WindowOptions) -> Floats:
    """The features of one window, before scaling.

    Args:
        window: (length, channels) float64, in the channels' units, channels in the manifest's order.
        options: the manifest's `[window]` table; its `scale` is not applied.

    Returns:
        float32. `raw`: (length · channels,), time first. `bands`: (channels · (n_bands + envelope_bins),), for
        each channel log10 of the mean power spectral density of each band (unit² / Hz), then log10 of the
        amplitude of each bin of the envelope's spectrum (unit), from its first bin above zero on.

    Source: Welch's periodogram with one Hann segment; envelope analysis after McFadden and Smith (1984),
    "Vibration monitoring of rolling element bearings by the high-frequency resonance technique".
    """
    if options.features == "raw":
        return np.ascontiguousarray(window, np.float32).reshape(-1)
    return _spectra(options)(window)


def feature_count(options: WindowOptions) -> int:
    """How many numbers `features` gives."""
    each = options.length if options.features == "raw" else options.n_bands + options.envelope_bins
    return each * len(options.channels)


class _Spectra:
    """What is the same for all windows of one model: the taper, the bands, the band that is demodulated."""

    def __init__(self, options: WindowOptions) -> None:
        length, rate = options.length, options.rate_hz
        self._taper = np.hanning(length + 1)[:-1, None]  # periodic: one period of the window is `length` long
        self._density = 2.0 / (rate * float((self._taper**2).sum()))
        self._amplitude = 2.0 / float(self._taper.sum())
        self._bands = band_weights(options)
        self._bins = options.envelope_bins
        low, high = options.demodulated
        frequencies = np.fft.rfftfreq(length, 1.0 / rate)
        self._carrier = np.flatnonzero((frequencies >= low) & (frequencies <= high))

    def __call__(self, window: Array) -> Floats:
        centred = window - window.mean(axis=0)
        parts = [self._power(centred), self._envelope(centred)] if self._bins else [self._power(centred)]
        return np.concatenate(parts).T.astype(np.float32).reshape(-1)

    def _power(self, centred: Array) -> Array:
        """(n_bands, channels)."""
        spectrum = np.fft.rfft(centred * self._taper, axis=0)
        density = (spectrum.real**2 + spectrum.imag**2) * self._density
        return np.asarray(np.log10(self._bands @ density + _FLOOR))

    def _envelope(self, centred: Array) -> Array:
        """(envelope_bins, channels): the analytic signal of the demodulated band, its modulus, and its spectrum."""
        analytic = np.zeros(centred.shape, np.complex128)
        analytic[self._carrier] = 2.0 * np.fft.rfft(centred, axis=0)[self._carrier]
        envelope = np.abs(np.fft.ifft(analytic, axis=0))
        envelope -= envelope.mean(axis=0)
        spectrum = np.abs(np.fft.rfft(envelope * self._taper, axis=0)[1 : self._bins + 1])
        return np.asarray(np.log10(spectrum * self._amplitude + _FLOOR))


@lru_cache(maxsize=8)
def _spectra(options: WindowOptions) -> _Spectra:
    return _Spectra(options)


def band_weights(options: WindowOptions) -> Array:
    """(n_bands, length // 2 + 1) float64: row i averages a spectrum over band i; each row sums to 1.

    The edges are spaced evenly on a logarithmic axis from `f_min` to `f_max`. A bin counts by the share of it
    that lies in the band, so that bands narrower than a bin are not empty.
    """
    step = options.rate_hz / options.length
    edges = np.geomspace(options.f_min, options.highest, options.n_bands + 1)
    low, high = edges[:-1, None], edges[1:, None]
    centres = np.arange(options.length // 2 + 1) * step
    overlap = np.minimum(high, centres + step / 2) - np.maximum(low, centres - step / 2)
    weights = np.maximum(overlap, 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
