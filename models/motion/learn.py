"""The network of motion, its training and its conversion; measures nothing."""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from recordings import CHANNELS, LENGTH

CLIP = 5.0
"""Standard deviations: the range of the int8 input; 0.1 % of the training's readings lie beyond it."""
WIDTHS = (24, 32, 48, 48)


def network(widths: tuple[int, ...] = WIDTHS, batch: int | None = None) -> keras.Model:
    """(1, 128, 6) scaled readings to (1, 7) logits: strided convolutions over time, the decoder applies softmax."""
    x = readings = keras.Input((LENGTH, len(CHANNELS)), batch, name="readings")
    for width in widths:
        x = layers.Conv1D(width, 5, strides=2, padding="same", use_bias=False)(x)
        # keras' own momentum of 0.99 lags behind in runs as short as ours.
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(readings, layers.Dense(7, name="scores")(x))


def turned(rng: np.random.Generator, scaled: NDArray[np.float32], scale: NDArray[np.float32]) -> Any:
    """Each window as a watch worn a little askew gives it: one rotation for both sensors, slower or stronger strokes."""
    real = scaled * scale[1] + scale[0]
    turns = rotations(rng.normal(0, np.radians(12), (len(real), 3)))
    for part in (slice(0, 3), slice(3, 6)):
        real[..., part] = np.einsum("nij,ntj->nti", turns, real[..., part])
    real[..., 3:] *= rng.uniform(0.8, 1.25, (len(real), 1, 1))
    return ((real - scale[0]) / scale[1]).astype(np.float32)


def rotations(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3, 3) of rotation vectors (n, 3) in radians. Source: Rodrigues' formula."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[:, 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def train(
    model: keras.Model,
    scaled: NDArray[np.float32],
    targets: NDArray[np.float32] | Callable[[NDArray[np.float32]], NDArray[np.float32]],
    scale: NDArray[np.float32],
    epochs: int,
    rate: float = 2e-3,
    loss: Any = None,
    callbacks: tuple[Any, ...] = (),
) -> keras.Model:
    """Fits `model` to `targets`, (n, 7) probabilities or what gives them to inputs (a teacher), by `loss` (targets, logits).

    Windows are turned anew in each epoch.
    """
    rng = np.random.default_rng(0)
    steps = epochs * -(-len(scaled) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.02)
    plain = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05)
    model.compile(keras.optimizers.Adam(schedule), loss or plain)
    for epoch in range(epochs):
        inputs = np.clip(turned(rng, scaled, scale), -CLIP, CLIP)
        model.fit(
            inputs,
            targets(inputs) if callable(targets) else targets,
            initial_epoch=epoch,
            epochs=epoch + 1,
            batch_size=64,
            verbose=2 if epoch % 10 == 9 else 0,
            callbacks=list(callbacks),
        )
    return model


def one_hot(kinds: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(7, dtype=np.float32)[kinds]


def converted(
    model: keras.Model, widths: tuple[int, ...] = WIDTHS, *, calibration: Any = None, dynamic: bool = False
) -> bytes:
    """The .tflite: float, with `dynamic` int8 weights only, with windows to calibrate with int8 throughout."""
    single = network(widths, batch=1)  # accelerators take no tensor of unknown size
    single.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(single)
    if dynamic or calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration is not None:
        samples = np.clip(calibration, -CLIP, CLIP).astype(np.float32)
        samples[0, 0, :2] = [-CLIP, CLIP]  # the whole range of the input, whatever the windows hold
        converter.representative_dataset = lambda: ([one[None]] for one in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())
