"""What the two models of the belt share in training: layers, batches, loss and conversion to .tflite; no scenes."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

Network = Callable[..., keras.Model]
"""`network(batch=None)`: a fresh model for pictures 0..1, logits on the grid of `scenes`."""


def block(x: Any, channels: int, stride: int = 1) -> Any:
    """Plain convolutions: they train faster on a CPU than depthwise ones and fit every accelerator."""
    x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
    # keras' own momentum of 0.99 lags behind in runs as short as ours.
    return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))


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


def train(network: Network, data: tuple[NDArray[np.uint8], ...], epochs: int, seed: int) -> keras.Model:
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
    network: Network, model: keras.Model, calibration: NDArray[np.uint8] | None, *, dynamic: bool = False
) -> bytes:
    """The .tflite: float, with `dynamic` int8 weights only, fully int8 if there are pictures (n, h, w, 3) to calibrate with."""
    single = network(1)  # accelerators take no tensor of unknown size
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
