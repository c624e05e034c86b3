#!/usr/bin/env python3
"""Train the recogniser on one core; a checkpoint every two minutes, so that --resume loses little.

The learning rate follows a cosine over --minutes of wall time, a resumed run continues where it stopped.
"""
import argparse
import os
import queue
import threading
import time

import numpy as np
import torch

from augment import telephone
from evaluate import describe, error_rates, load_utterances, padded
from model import FRAME_SAMPLES, Recogniser
from turkish import ALPHABET

PEAK_RATE, WARM_UP_STEPS, FINAL_SHARE = 2e-3, 150, 0.02
EASY_STEPS = 250          # the first steps see short utterances only
FULL_NOISE_AT = 0.2       # share of the run after which the lines are as bad as they get
LENGTH_JITTER = 2400      # samples; batches of similar, not always the same, utterances
QUEUED_BATCHES = 6
CHECKPOINT_SECONDS, EVALUATION_SECONDS, LOG_STEPS = 120, 480, 100
EVALUATE_EVERY_TH = 4     # while training, a quarter of the test set


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", required=True, help="folder with the audio pickles of make_speech.py")
    arguments.add_argument("--checkpoint", required=True, help="written here")
    arguments.add_argument("--sets", default="train,flite", help="pickles to train on")
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--resume", action="store_true", help="continue from --checkpoint if it exists")
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)

    run = Run(options)
    run.train(load_utterances(options.data, options.sets.split(",")), load_utterances(options.data, ["test"])[::EVALUATE_EVERY_TH])


class Run:
    def __init__(self, options):
        self.options, self.seconds = options, options.minutes * 60
        self.model = Recogniser()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=PEAK_RATE, weight_decay=1e-3)
        self.step, self.elapsed_before, self.loss = 0, 0.0, None
        if options.resume and os.path.exists(options.checkpoint):
            self._restore(torch.load(options.checkpoint))
        self.started = time.monotonic()

    @property
    def elapsed(self):
        return self.elapsed_before + time.monotonic() - self.started

    @property
    def progress(self):
        return min(1.0, self.elapsed / self.seconds)

    def train(self, data, test):
        print(f"{sum(p.numel() for p in self.model.parameters())} parameters, {len(data)} utterances, step {self.step}", flush=True)
        batches = queue.Queue(QUEUED_BATCHES)
        threading.Thread(target=load_batches, args=(data, self, batches), daemon=True).start()
        saved = evaluated = self.elapsed
        while self.progress < 1:
            self._learn(*batches.get())
            if self.step % LOG_STEPS == 0:
                print(f"{self.elapsed:.0f} s  step {self.step}  loss {self.loss:.3f}  cpu {time.process_time():.0f} s  queued {batches.qsize()}", flush=True)
            if self.elapsed - saved > CHECKPOINT_SECONDS:
                saved = self.elapsed
                self._save()
            if self.elapsed - evaluated > EVALUATION_SECONDS:
                evaluated = self.elapsed
                self._evaluate(test)
        self._save()

    def _learn(self, samples, frames, letters, counts):
        rate = PEAK_RATE * min(1, (self.step + 1) / WARM_UP_STEPS) * (FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + np.cos(np.pi * self.progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        outputs = self.model(samples).transpose(0, 1)
        loss = torch.nn.functional.ctc_loss(outputs, letters, frames, counts, zero_infinity=True)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self.loss = loss.item() if self.loss is None else 0.98 * self.loss + 0.02 * loss.item()

    def _evaluate(self, test):
        for level, condition in ((0.0, "clean"), (1.0, "noisy")):
            for kind, rates in error_rates(self.model, test, level).items():
                print(f"== {self.elapsed:.0f} s  {condition}  {describe(kind, rates)}", flush=True)

    def _save(self):
        part = self.options.checkpoint + ".part"
        torch.save({"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.step,
                    "elapsed": self.elapsed, "loss": self.loss}, part)
        os.replace(part, self.options.checkpoint)

    def _restore(self, saved):
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step, self.elapsed_before, self.loss = saved["step"], saved["elapsed"], saved["loss"]


def load_batches(data, run, batches):
    """Endless augmented batches of utterances of similar length; ends with the process."""
    random = np.random.default_rng(run.options.seed + run.step)
    lengths = np.array([len(samples) for _, samples, _ in data])
    indices = {letter: i + 1 for i, letter in enumerate(ALPHABET)}
    size, made = run.options.batch, run.step
    while True:
        order = np.argsort(lengths + random.integers(0, LENGTH_JITTER, len(lengths)))
        groups = [order[i:i + size] for i in range(0, len(order), size)]
        random.shuffle(groups)
        if made < EASY_STEPS:
            groups = [order[i:i + size] for i in range(0, len(order) // 3, size)]
            random.shuffle(groups)
        for group in groups:
            level = min(1.0, 0.3 + 0.7 * run.progress / FULL_NOISE_AT)
            utterances = [telephone(data[i][1], random, level, data) for i in group]
            texts = [[indices[letter] for letter in data[i][0]] for i in group]
            batches.put((torch.tensor(padded(utterances)), torch.tensor([len(x) // FRAME_SAMPLES for x in utterances]),
                         torch.tensor(sum(texts, [])), torch.tensor([len(text) for text in texts])))
            made += 1


if __name__ == "__main__":
    main()
