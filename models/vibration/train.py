"""Train the autoencoder of vibration on simulated sound machines, quantize it, measure it, write the bundle.

`PYTHONPATH=. python models/vibration/train.py [--quick] [--seed 0]`; needs requirements.txt beside it.
"""

import argparse
from pathlib import Path

import bundle
import keras
import numpy as np
import tensorflow as tf
from signals import CLIP, windows_of


def network(batch: int | None = None) -> keras.Model:
    inward = keras.Input((128,), batch_size=batch)
    x = inward
    for units in (64, 32, 8, 32, 64):
        x = keras.layers.Dense(units, activation="relu" if units != 8 else None)(x)
    return keras.Model(inward, keras.layers.Dense(128)(x))


def converted(model: keras.Model, calibration: np.ndarray | None) -> bytes:
    """Float, or int8 with the extremes of the clip in the calibration: a fault must not saturate the input."""
    single = network(batch=1)
    single.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(single)
    if calibration is not None:
        samples = calibration.astype(np.float32).copy()
        samples[0, :2] = [-CLIP, CLIP]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([one[None]] for one in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few machines, few epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    keras.utils.set_random_seed(asked.seed)
    machines, each, epochs = (4, 40, 5) if asked.quick else (300, 24, 40)
    raw = np.concatenate([windows_of(1000 * asked.seed + m, "none", 0.0, each) for m in range(machines)])
    scale = np.stack([raw.mean(0), raw.std(0) + 1e-3]).astype(np.float32)
    scaled = np.clip((raw - scale[0]) / scale[1], -CLIP, CLIP)
    model = network()
    model.compile(keras.optimizers.Adam(2e-3), "mse")
    model.fit(scaled, scaled, epochs=epochs, batch_size=64, verbose=2)
    floating, quantized = converted(model, None), converted(model, scaled[:: max(1, len(scaled) // 300)])
    bundle.write(asked.out, floating, quantized, scale, scaled)


if __name__ == "__main__":
    main()
