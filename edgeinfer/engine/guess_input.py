"""How a picture gets into the model's input: layout, colour, fit, mean and std, each with the reason."""

from __future__ import annotations

from typing import NamedTuple

from edgeinfer.engine.guess_words import Case, Fit, Guess, Heads, real_range, shown
from edgeinfer.errors import BundleError
from edgeinfer.store import InputOptions
from edgeinfer.tensors import Layout, TensorSpec, layout_of, size_of

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
"""RGB, of pixels 0..255: 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225 as torchvision's documentation gives them."""


class _Scale(NamedTuple):
    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    reason: str
    sure: bool


def guess_input(case: Case, heads: Heads) -> Guess:
    """The whole guess: `heads` and what the input needs."""
    picture = case.picture
    options = _picture(case, heads, picture) if picture is not None else None
    if options is None:
        heads.missing.append("window: the model takes no picture; rate, channels and length of its window")
    _others(case, heads, picture)
    _labels(case, heads)
    return Guess(
        decoder=heads.decoder,
        options=heads.options,
        outputs=heads.outputs,
        input=options,
        labels=case.labels,
        classes=heads.classes,
        reasons=tuple(heads.reasons),
        assumed=tuple(heads.assumed),
        missing=tuple(heads.missing),
    )


def _others(case: Case, heads: Heads, picture: TensorSpec | None) -> None:
    others = (
        [t for t in case.spec.inputs if t is not picture] if picture is not None else case.spec.inputs[1:]
    )
    if others:
        names = ", ".join(map(shown, others))
        heads.assumed.append(
            f"inputs besides the sample stay zero, unless [state] names the output that feeds them: {names}"
        )


def _labels(case: Case, heads: Heads) -> None:
    if case.labels and case.labels == case.metadata.labels:
        heads.reasons.append(f"{len(case.labels)} labels: {case.metadata.labels_from}")
    if not case.labels:
        count = f"{heads.classes} names" if heads.classes else "names"
        heads.missing.append(f"labels: {count}, one a line, in the order of the classes")


def _picture(case: Case, heads: Heads, picture: TensorSpec) -> InputOptions:
    layout: Layout = layout_of(picture) or "NHWC"
    height, width = size_of(picture)
    if min(height, width) <= 1:
        raise BundleError(
            f"the input {shown(picture)} has no fixed height and width (dynamic shape): "
            "export the model again for one input size"
        )
    channels = picture.shape[3] if layout == "NHWC" else picture.shape[1]
    heads.reasons.append(f"the input {shown(picture)} is {layout}, {width}x{height}")
    scale = _noted(case, picture) or _exported(case) or _integers(picture) or _unknown()
    (heads.reasons if scale.sure else heads.assumed).append(scale.reason)
    return InputOptions(
        fit=_fit(heads),
        layout=layout,
        colour="GRAY" if channels == 1 else "RGB",
        mean=scale.mean,
        std=scale.std,
        name=picture.name if len(case.spec.inputs) > 1 else "",
    )


def _fit(heads: Heads) -> Fit:
    if heads.fit is None:
        heads.assumed.append(
            'fit = "stretch", as TensorFlow\'s tools resize; "letterbox" where it was trained so'
        )
        return "stretch"
    return heads.fit


def _noted(case: Case, picture: TensorSpec) -> _Scale | None:
    """TFLite metadata: `real = (pixel - mean) / std`, the manifest's own words."""
    notes = case.metadata.inputs
    index = case.spec.inputs.index(picture)
    if index >= len(notes) or not (notes[index].mean and notes[index].std):
        return None
    mean, std = _short(notes[index].mean), _short(notes[index].std)
    return _Scale(mean, std, f"TFLite metadata: mean {mean}, std {std}", sure=True)


def _short(values: tuple[float, ...]) -> float | tuple[float, ...]:
    rounded = tuple(round(v, 6) for v in values)
    return rounded[0] if len(set(rounded)) == 1 else rounded


def _exported(case: Case) -> _Scale | None:
    """Ultralytics and YOLOv5 train on pixels / 255."""
    if case.metadata.export is None:
        return None
    return _Scale(0.0, 255.0, "Ultralytics trains on pixels / 255", sure=True)


def _integers(picture: TensorSpec) -> _Scale | None:
    """The range of a quantized input was measured on real pictures: it tells what 0 and 255 became."""
    reach = real_range(picture)
    if reach is None:
        return None
    low, high = reach
    words = f"its integers reach from {low:.3g} to {high:.3g}"
    for mean, std, text in (
        (0.0, 255.0, "pixels / 255"),
        (127.5, 127.5, "pixels / 127.5 - 1"),
        (0.0, 1.0, "pixels"),
    ):
        wanted = (-mean / std, (255 - mean) / std)
        if max(abs(low - wanted[0]), abs(high - wanted[1])) <= 0.02 * (wanted[1] - wanted[0]):
            return _Scale(mean, std, f"{words}: {text}", sure=True)
    if _near_imagenet(low, high):
        return _Scale(IMAGENET_MEAN, IMAGENET_STD, f"{words}: ImageNet's mean and deviation", sure=False)
    std = 255 / (high - low)
    return _Scale(
        round(-low * std, 4), round(std, 4), f"{words}: black and white are assumed there", sure=False
    )


def _near_imagenet(low: float, high: float) -> bool:
    lows = min(-m / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
    highs = max((255 - m) / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
    return abs(low - lows) < 0.1 and abs(high - highs) < 0.1


def _unknown() -> _Scale:
    text = "a float input does not tell its range: pixels / 127.5 - 1 is assumed, as Keras and Teachable Machine use"
    return _Scale(127.5, 127.5, text, sure=False)
