"""Make clean synthetic speech sound like a telephone: rooms, noise, band limits, gain, G.711, lost packets.

Runs beside the training on the same core, so everything here is a short filter or a table.
"""
import numpy as np
from scipy.signal import butter, fftconvolve, lfilter

SAMPLE_RATE = 8000
_PACKET = 160


def _quantised(encode_decode, steps=65536):
    return encode_decode(np.linspace(-1, 1, steps)).astype(np.float32)


def _mu_law(x, mu=255.0):
    y = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    q = np.round((y + 1) * 127.5) / 127.5 - 1
    return np.sign(q) * ((1 + mu) ** np.abs(q) - 1) / mu


def _a_law(x, a=87.6):
    magnitude, d = np.abs(x), 1 + np.log(a)
    y = np.where(magnitude < 1 / a, a * magnitude / d, (1 + np.log(np.maximum(a * magnitude, 1e-9))) / d) * np.sign(x)
    q = np.round((y + 1) * 127.5) / 127.5 - 1
    level = np.abs(q)
    return np.sign(q) * np.where(level < 1 / d, level * d / a, np.exp(level * d - 1) / a)


_CODECS = [_quantised(_mu_law), _quantised(_a_law)]
_BANDS = [butter(2, [low / 4000, high / 4000], "band") for low, high in ((200, 3400), (300, 3400), (250, 3000), (150, 3700), (300, 3200))]


def _noise_bank(seconds=30):
    random = np.random.default_rng(0)
    white = random.standard_normal(seconds * SAMPLE_RATE).astype(np.float32)
    t = np.arange(len(white)) / SAMPLE_RATE
    hum = [sum(np.sin(2 * np.pi * f * t + random.uniform(0, 6)) for f in random.uniform(80, 1500, 4)) + 0.5 * white for _ in range(3)]
    bank = [white, lfilter([1], [1, -0.95], white), lfilter([1], [1, -1.6, 0.8], white), *hum]
    return [(noise / np.sqrt((noise ** 2).mean())).astype(np.float32) for noise in bank]


_NOISES = _noise_bank()


def telephone(samples, random, level=1.0, others=None):
    """int16 samples in, float32 in [-1, 1] out. level 0 = clean G.711, 1 = the full range of bad lines.

    others: utterances (text, samples, ...) to draw babble from.
    """
    silence_before, silence_after = int(random.uniform(0.05, 0.3) * SAMPLE_RATE), int(random.uniform(0.3, 0.45) * SAMPLE_RATE)
    x = np.zeros(silence_before + len(samples) + silence_after, np.float32)
    x[silence_before:silence_before + len(samples)] = samples / np.float32(32768)
    if level > 0:
        x = _room_and_line(x, random, level)
        x = _add_noise(x, random, level, others)
    x = x * np.float32(10 ** (random.uniform(-22, -1) / 20) / (np.abs(x).max() + 1e-6))
    x = _g711(x, random.random())
    if random.random() < 0.15 * level:
        for _ in range(random.integers(1, 4)):
            start = random.integers(0, max(1, len(x) - _PACKET))
            x[start:start + _PACKET] = 0
    return x


def _room_and_line(x, random, level):
    if random.random() < 0.35 * level:
        length = int(random.uniform(0.05, 0.25) * SAMPLE_RATE)
        echo = random.standard_normal(length) * np.exp(-np.arange(length) / (length * random.uniform(0.1, 0.3))) * random.uniform(0.02, 0.12)
        echo[0] = 1
        x = fftconvolve(x, echo.astype(np.float32))[:len(x)]
    if random.random() < 0.5 * level:
        tilt = random.uniform(-0.5, 0.5)
        x[1:] = x[1:] + np.float32(tilt) * x[:-1]
    if random.random() < 0.7:
        numerator, denominator = _BANDS[random.integers(0, len(_BANDS))]
        x = lfilter(numerator.astype(np.float32), denominator.astype(np.float32), x)
    return x.astype(np.float32)


def _add_noise(x, random, level, others):
    power = np.sqrt((x ** 2).mean()) + 1e-6
    if random.random() < 0.75 * level:
        noise = _NOISES[random.integers(0, len(_NOISES))]
        start = random.integers(0, len(noise) // 2)
        x = x + np.resize(noise[start:], len(x)) * np.float32(power * 10 ** (-random.uniform(6, 35) / 20))
    if others is not None and random.random() < 0.15 * level:
        babble = others[random.integers(0, len(others))][1].astype(np.float32) / 32768
        x = x + np.resize(babble, len(x)) * np.float32(10 ** (-random.uniform(12, 25) / 20))
    return x


def _g711(x, draw):
    if draw >= 0.9:
        return np.clip(x, -1, 1)
    table = _CODECS[0 if draw < 0.5 else 1]
    return table[((np.clip(x, -1, 1) + 1) * 32767.5).astype(np.int32)]
