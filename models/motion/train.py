"""Train the classifier of motion on the real recordings of seglearn, quantize it, measure it, write the bundle.

`PYTHONPATH=. python models/motion/train.py [--quick] [--seed 0]`; needs requirements.txt beside it, and pip to reach
PyPI: the recordings are read out of the package and are not kept.
"""

import argparse
from pathlib import Path

import bundle
import keras
import numpy as np
from learn import converted, network, one_hot, train
from recordings import fetch, scale_of, split, windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: two epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    keras.utils.set_random_seed(asked.seed)
    learn, test = split(fetch())
    raw, kinds = windows(learn, hop=32)
    scale = scale_of(raw)
    scaled = (raw - scale[0]) / scale[1]
    model = train(network(), scaled, one_hot(kinds), scale, 2 if asked.quick else asked.epochs)
    calibration = scaled[np.random.default_rng(asked.seed).permutation(len(scaled))[:300]]
    bundle.write(asked.out, converted(model), converted(model, calibration=calibration), scale, learn, test)


if __name__ == "__main__":
    main()
