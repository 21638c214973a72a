"""Train the small model of the belt, the gate before `parts`: quantize it, measure it and write its bundle.

PYTHONPATH=.:models/parts python models/parts-small/train.py [--quick] [--seed 0] [--out models/parts-small]
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import card
import cv2
import keras
import scenes
from judge import runner
from keras import layers
from learn import block, converted, train


def network(batch: int | None = None) -> keras.Model:
    """(1, 96, 128, 3) RGB 0..1 to logits (1, 24, 32, 4): background and the labels of `parts`, on its grid.

    A quarter of the pixels of `parts`, and an eighth of its multiplications: three convolutions at stride 4 see
    31 px, a whole part (21 px) from each cell that it owns.
    """
    picture = keras.Input((card.INPUT_PX[1], card.INPUT_PX[0], 3), batch, name="picture")
    x = block(block(picture, 8, 2), 16, 2)
    for _ in range(3):
        x = block(x, 24)
    return keras.Model(picture, layers.Conv2D(4, 1, name="heat")(x))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few pictures, two epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    keras.utils.set_random_seed(asked.seed)
    cv2.setNumThreads(1)

    belts, epochs = (30, 2) if asked.quick else (1000, asked.epochs)
    data = scenes.dataset(scenes.TRAINING_SEED + 100_000 * asked.seed, belts, 12, card.INPUT_PX)
    model = train(network, data, epochs, asked.seed)
    quantized = converted(network, model, data[0][:: max(1, len(data[0]) // 300)])
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / card.MODEL).write_bytes(quantized)
    command = (
        f"PYTHONPATH=.:models/parts python models/parts-small/train.py --seed {asked.seed} --epochs {epochs}"
    )
    figures = card.measure(runner(quantized), pictures=40 if asked.quick else 600)
    card.write(asked.out, figures, command + (" --quick" if asked.quick else ""))


if __name__ == "__main__":
    main()
