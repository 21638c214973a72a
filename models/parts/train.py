"""Train the parts model on rendered belts, quantize it, measure it and write its bundle.

PYTHONPATH=. python models/parts/train.py [--quick] [--seed 0] [--out models/parts]
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import bundle
import cv2
import keras
import scenes
from judge import runner
from keras import layers
from learn import block, converted, train

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
    model = train(network, data, epochs, asked.seed)
    floating, quantized = (
        converted(network, model, None),
        converted(network, model, data[0][:: max(1, len(data[0]) // 300)]),
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / bundle.MODEL).write_bytes(quantized)
    command = f"PYTHONPATH=. python models/parts/train.py --seed {asked.seed} --epochs {epochs}"
    figures = bundle.measure(runner(floating), runner(quantized), pictures=40 if asked.quick else 600)
    bundle.write(asked.out, figures, command + (" --quick" if asked.quick else ""))


if __name__ == "__main__":
    main()
