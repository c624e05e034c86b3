#!/usr/bin/env python3
"""Word and letter error rates of a checkpoint on the test set (voices and forms never heard in training), greedy decoding."""
import argparse
import os
import pickle

import numpy as np
import torch

from augment import telephone
from model import FRAME_SAMPLES, Recogniser
from turkish import ALPHABET

BATCH = 32


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", required=True, help="folder with test.pkl")
    arguments.add_argument("--checkpoint", required=True)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    model = Recogniser()
    model.load_state_dict(torch.load(options.checkpoint)["model"])
    test = load_utterances(options.data, ["test"])
    for level, condition in ((0.0, "clean, G.711"), (1.0, "noisy, G.711")):
        for kind, rates in error_rates(model, test, level).items():
            print(f"{condition:14} {describe(kind, rates)}")


def load_utterances(folder, names):
    utterances = []
    for name in names:
        with open(os.path.join(folder, name + ".pkl"), "rb") as file:
            utterances += pickle.load(file)
    return utterances


def error_rates(model, test, level, seed=3):
    """kind -> (word error rate, letter error rate, share of exact utterances, utterances)."""
    random, counts = np.random.default_rng(seed), {}
    model.eval()
    with torch.no_grad():
        for start in range(0, len(test), BATCH):
            batch = test[start:start + BATCH]
            heard = greedy(model(torch.tensor(padded([telephone(samples, random, level) for _, samples, _ in batch]))))
            for (text, _, kind), hypothesis in zip(batch, heard):
                counts.setdefault(kind, []).append(_errors(text, hypothesis))
    model.train()
    return {kind: _rates(np.array(rows)) for kind, rows in counts.items()}


def describe(kind, rates):
    words, letters, exact, count = rates
    return f"{kind:14} WER {100 * words:5.1f} %  CER {100 * letters:5.1f} %  exact {100 * exact:5.1f} %  ({count} utterances)"


def padded(utterances):
    """Float samples of different lengths -> one zero-padded array, whole frames."""
    longest = max(len(x) for x in utterances)
    array = np.zeros((len(utterances), -(-longest // FRAME_SAMPLES) * FRAME_SAMPLES), np.float32)
    for row, x in zip(array, utterances):
        row[:len(x)] = x
    return array


def greedy(log_probabilities):
    """Best letter per frame, repeats and blanks removed."""
    texts = []
    for outputs in log_probabilities.argmax(-1).tolist():
        kept = [o for before, o in zip([0] + outputs, outputs) if o != before and o != 0]
        texts.append(" ".join("".join(ALPHABET[o - 1] for o in kept).split()))
    return texts


def _errors(text, hypothesis):
    words, heard = text.split(), hypothesis.split()
    return edit_distance(words, heard), len(words), edit_distance(text, hypothesis), len(text), text == hypothesis


def _rates(rows):
    word_errors, words, letter_errors, letters, exact = rows.sum(0)
    return word_errors / words, letter_errors / letters, exact / len(rows), len(rows)


def edit_distance(expected, heard):
    row = list(range(len(heard) + 1))
    for i, x in enumerate(expected):
        diagonal, row[0] = row[0], i + 1
        for j, y in enumerate(heard):
            diagonal, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, diagonal + (x != y))
    return row[-1]


if __name__ == "__main__":
    main()
