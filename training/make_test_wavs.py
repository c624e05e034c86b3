#!/usr/bin/env python3
"""Write a few short callers of the demo clinic, spoken by voices kept out of training, as WAV files with data.tsv."""
import argparse
import os
import random
import wave

import numpy as np

from augment import telephone
from voices import SAMPLE_RATE, TEST_VARIANTS, Espeak

SENTENCES = ["merhaba randevu almak istiyorum", "salı günü saat onda", "benim adım zeynep kaya", "evet onaylıyorum",
             "çalışma saatleriniz nedir", "hayır teşekkür ederim iyi günler"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, help="folder for the WAV files and data.tsv")
    arguments.add_argument("--seed", type=int, default=11)
    options = arguments.parse_args()
    os.makedirs(options.out, exist_ok=True)
    espeak, dice, noise = Espeak(), random.Random(options.seed), np.random.default_rng(options.seed)
    rows = []
    for i, text in enumerate(SENTENCES):
        name = f"caller-{i + 1}.wav"
        write(os.path.join(options.out, name), telephone(espeak.speak(text, dice, [TEST_VARIANTS[i]]), noise, level=0.0))
        rows.append(f"{name}\t{text}")
    with open(os.path.join(options.out, "data.tsv"), "w", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")


def write(path, samples):
    with wave.open(path, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(SAMPLE_RATE)
        audio.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
