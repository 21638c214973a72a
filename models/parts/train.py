"""Train the parts model on rendered belts, quantize it, measure it and write its bundle.

PYTHONPATH=. python models/parts/train.py [--quick] [--seed 0] [--out models/parts]
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import bundle
import cv2
import keras
import numpy as np
import scenes
import tensorflow as tf
from judge import runner
from keras import layers
from numpy.typing import NDArray


def block(x: Any, channels: int, stride: int = 1) -> Any:
    """Plain convolutions: they train faster on a CPU than depthwise ones and fit every accelerator."""
    x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
    # keras' own momentum of 0.99 lags behind in runs as short as ours.
    return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))


WIDTHS = (16, 24, 48)
"""Channels at stride 2, 4 and 8."""


def network(batch: int | None = None, widths: tuple[int, ...] = WIDTHS) -> keras.Model:
    """(1, 192, 256, 3) RGB 0..1 to logits (1, 24, 32, 4): background and the three labels.

    The last layer is no softmax, which the Edge TPU compiler takes for one dimension only: the decoder
    applies it. Four convolutions at stride 8 see 87 px, a whole part (42 px) from each cell that it owns.
    """
    picture = keras.Input((scenes.INPUT_PX[1], scenes.INPUT_PX[0], 3), batch, name="picture")
    half, quarter, eighth = widths
    x = block(picture, half, 2)
    x = block(block(x, quarter, 2), quarter)  # two at stride 4, where a scratch is still a pixel wide
    x = block(x, eighth, 2)
    for _ in range(4):
        x = block(x, eighth)
    return keras.Model(picture, layers.Conv2D(4, 1, name="heat")(x))


def flipped(picture: Any, kind: Any, weight: Any) -> Any:
    """Half of the pictures mirrored, on each axis: light then comes from everywhere."""
    for axis in (0, 1):
        if tf.random.uniform(()) < 0.5:
            picture, kind, weight = (tf.reverse(each, [axis]) for each in (picture, kind, weight))
    return picture, kind, weight


def batches(data: tuple[NDArray[np.uint8], ...], seed: int) -> Any:
    def real(picture: Any, kind: Any, weight: Any) -> Any:
        return tf.cast(picture, tf.float32) / 255, tf.one_hot(kind, 4), tf.cast(weight, tf.float32)

    whole = tf.data.Dataset.from_tensor_slices(data).shuffle(len(data[0]), seed=seed)
    return whole.map(flipped).batch(16, drop_remainder=True).map(real).prefetch(2)


def train(data: tuple[NDArray[np.uint8], ...], epochs: int, seed: int) -> keras.Model:
    return fit(network(), data, epochs, seed)


def fit(
    model: keras.Model,
    data: tuple[NDArray[np.uint8], ...],
    epochs: int,
    seed: int,
    top: float = 3e-3,
    teacher: keras.Model | None = None,
    loss: Any = None,
    callbacks: tuple[Any, ...] = (),
) -> keras.Model:
    """Trains `model`; the rate of learning rises to `top`. With a `teacher`, targets are its logits, then the truth."""
    steps = epochs * (len(data[0]) // 16)
    warm = {"warmup_target": top, "warmup_steps": steps // 20}
    rate = keras.optimizers.schedules.CosineDecay(1e-4, steps, alpha=0.02, **warm)
    # Smoothing keeps scores below 1.0 and logits in a range that int8 resolves well.
    plain = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.04)
    model.compile(keras.optimizers.Adam(rate), loss or plain)

    def taught(picture: Any, kind: Any, weight: Any) -> Any:
        return picture, tf.concat([teacher(picture, training=False), kind], -1), weight  # type: ignore[misc]  # only with one

    examples = batches(data, seed)
    model.fit(
        examples.map(taught) if teacher else examples, epochs=epochs, verbose=2, callbacks=list(callbacks)
    )
    return model


def converted(
    model: keras.Model,
    calibration: NDArray[np.uint8] | None,
    widths: tuple[int, ...] = WIDTHS,
    *,
    dynamic: bool = False,
) -> bytes:
    """The .tflite: float, with `dynamic` int8 weights only, fully int8 if there are pictures (n, h, w, 3) to calibrate with."""
    single = network(1, widths)  # accelerators take no tensor of unknown size
    single.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(single)
    if dynamic:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration is not None:
        samples = calibration.copy()
        samples[0, 0, :2] = [[0], [255]]  # the whole range of the input, whatever the pictures hold
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([one[None].astype(np.float32) / 255] for one in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few pictures, two epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    keras.utils.set_random_seed(asked.seed)
    cv2.setNumThreads(1)

    belts, epochs = (30, 2) if asked.quick else (1000, asked.epochs)
    data = scenes.dataset(scenes.TRAINING_SEED + 100_000 * asked.seed, belts, per_belt=12)
    model = train(data, epochs, asked.seed)
    floating, quantized = converted(model, None), converted(model, data[0][:: max(1, len(data[0]) // 300)])
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / bundle.MODEL).write_bytes(quantized)
    command = f"PYTHONPATH=. python models/parts/train.py --seed {asked.seed} --epochs {epochs}"
    figures = bundle.measure(runner(floating), runner(quantized), pictures=40 if asked.quick else 600)
    bundle.write(asked.out, figures, command + (" --quick" if asked.quick else ""))


if __name__ == "__main__":
    main()
