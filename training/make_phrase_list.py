#!/usr/bin/env python3
"""Write sampled sentences, one a line: the general text from which the decoder builds its language model."""
import argparse
import os
import random

import grammar
import phrases

GENERAL_SHARE = 0.25


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--lines", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=5)
    options = arguments.parse_args()
    lines = sample(random.Random(options.seed), options.lines)
    with open(options.out + ".part", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(options.out + ".part", options.out)


def sample(dice, count):
    """Every form at least once, then forms at random and a share of general sentences; repeats weigh more, on purpose."""
    lines = [phrases.fill(form, dice) for form in phrases.FORMS]
    while len(lines) < count:
        lines.append(grammar.sentence(dice) if dice.random() < GENERAL_SHARE else phrases.fill(dice.choice(phrases.FORMS), dice))
    dice.shuffle(lines)
    return lines


if __name__ == "__main__":
    main()
