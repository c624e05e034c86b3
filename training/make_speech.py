#!/usr/bin/env python3
"""Speak random sentences: writes train.pkl, test.pkl (espeak-ng) and flite.pkl into --out.

Each file is a pickled list of (text, int16 samples at 8 kHz, kind).
"""
import argparse
import os
import pickle
import random
import time

import grammar
import phrases
from voices import SAMPLE_RATE, TEST_VARIANTS, Espeak, flite_speak

FORM_SHARE = 0.55
MAX_LETTERS = 60


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, help="folder for the audio pickles")
    arguments.add_argument("--utterances", type=int, default=18000, help="espeak-ng training utterances")
    arguments.add_argument("--flite", type=int, default=2500, help="flite training utterances")
    arguments.add_argument("--only", choices=["espeak", "flite"])
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    os.makedirs(options.out, exist_ok=True)

    if options.only != "flite":
        espeak = Espeak()
        save(options.out, "test", test_set(espeak, random.Random(options.seed + 1000)))
        save(options.out, "train", training_set(espeak, random.Random(options.seed), options.utterances))
    if options.only != "espeak":
        dice = random.Random(options.seed + 2000)
        texts = (training_text(dice) for _ in range(options.flite))
        save(options.out, "flite", [(text, flite_speak(text, dice), "flite") for text in texts])


def training_text(dice):
    while True:
        text = phrases.fill(dice.choice(phrases.TRAINING_FORMS), dice) if dice.random() < FORM_SHARE else grammar.sentence(dice)
        if 0 < len(text) <= MAX_LETTERS:
            return text


def training_set(espeak, dice, count):
    variants = espeak.training_variants()
    print(f"{len(variants)} voice variants for training, {len(TEST_VARIANTS)} for the test", flush=True)
    texts = (training_text(dice) for _ in range(count))
    return [(text, espeak.speak(text, dice, variants), "train") for text in texts]


def test_set(espeak, dice):
    """Voices never heard in training: forms never spoken, forms spoken, and sentences of the general grammar."""
    texts = [(phrases.fill(form, dice), "held-out form") for form in phrases.HELD_OUT_FORMS for _ in range(3)]
    texts += [(phrases.fill(dice.choice(phrases.TRAINING_FORMS), dice), "seen form") for _ in range(150)]
    texts += [(grammar.sentence(dice), "general") for _ in range(150)]
    return [(text, espeak.speak(text, dice, TEST_VARIANTS), kind) for text, kind in texts if text]


def save(folder, name, utterances):
    path = os.path.join(folder, name + ".pkl")
    with open(path + ".part", "wb") as file:
        pickle.dump(utterances, file)
    os.replace(path + ".part", path)
    hours = sum(len(samples) for _, samples, _ in utterances) / SAMPLE_RATE / 3600
    print(f"{path}: {len(utterances)} utterances, {hours:.2f} h, after {time.process_time():.0f} s cpu", flush=True)


if __name__ == "__main__":
    main()
