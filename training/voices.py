"""Synthetic callers: espeak-ng through its C library, and flite voices reading Turkish with English phones."""
import ctypes
import ctypes.util
import os
import subprocess
import tempfile
import wave

import numpy as np
from scipy.signal import resample_poly

SAMPLE_RATE = 8000
_ESPEAK_RATE = 22050
_PEAK, _SILENCE, _MARGIN = 24000, 300, 400

# Effects rather than voices: nobody calls sounding like these.
_UNUSABLE = {"Demonic", "whisper", "whisperf", "croak", "robosoft", "robosoft2", "robosoft3", "robosoft4", "robosoft5",
             "robosoft6", "robosoft7", "robosoft8", "UniRobot", "anikaRobot", "AnxiousAndy", "fast", "Tweaky"}
TEST_VARIANTS = ["m4", "f4", "klatt4", "linda", "max", "steph2", "antonio", "Henrique", "aunty", "john"]
FLITE_VOICES = ["rms", "awb", "kal16"]


class Espeak:
    """One in-process espeak-ng; the library has global state, so there is one per process."""

    _SYNCHRONOUS, _UTF8 = 2, 1
    _RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7

    def __init__(self):
        self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._pieces, self._callback = [], callback(self._collect)
        rate = self._library.espeak_Initialize(self._SYNCHRONOUS, 200, None, 0)
        if rate != _ESPEAK_RATE:
            raise RuntimeError(f"espeak-ng started with sample rate {rate}, expected {_ESPEAK_RATE}")
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples, count, _events):
        if count > 0 and samples:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def training_variants(self):
        """Every usable installed variant that is not kept for the test, and the plain voice."""
        return [""] + [v for v in self.variants() if v not in _UNUSABLE and v not in TEST_VARIANTS]

    def variants(self):
        info = self._library.espeak_Info
        info.restype, data = ctypes.c_char_p, ctypes.c_char_p()
        info(ctypes.byref(data))
        return sorted(os.listdir(os.path.join(data.value.decode(), "voices", "!v")))

    def speak(self, text, random, variants):
        """A random rendering by one of the variants: int16 at SAMPLE_RATE, trimmed, peak normalised."""
        variant = random.choice(variants)
        self._set_voice("tr+" + variant if variant else "tr")
        if random.random() < 0.15:
            rate, pitch, pitch_range, gap, stretch = 175, 50, 50, 0, 1.0
        else:
            rate, pitch, pitch_range = random.randrange(130, 230), random.randrange(15, 90), random.randrange(20, 80)
            gap, stretch = random.choice([0, 0, 0, 2, 5, 10]), random.uniform(0.88, 1.12)
        for parameter, value in ((self._RATE, rate), (self._PITCH, pitch), (self._RANGE, pitch_range), (self._WORD_GAP, gap)):
            self._library.espeak_SetParameter(parameter, value, 0)
        # The stretched resampling shifts formants as well as tempo: a longer or shorter vocal tract.
        return _finish(resample_poly(self._synthesise(text), 160, round(441 * stretch)))

    def _set_voice(self, name):
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {name}")

    def _synthesise(self, text):
        self._pieces.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, self._UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._pieces:
            raise RuntimeError(f"espeak-ng said nothing for: {text}")
        return np.concatenate(self._pieces).astype(np.float32)


# English phones for Turkish letters; several accents, one drawn per utterance.
_VOWEL_PHONES = [
    dict(a="aa", e="eh", ı="ax", i="iy", o="ao", ö="er", u="uw", ü="y uw", j="zh", c="jh"),
    dict(a="ah", e="ae", ı="ih", i="iy", o="ow", ö="er", u="uh", ü="uw", j="zh", c="jh"),
    dict(a="aa", e="eh", ı="ah", i="ih", o="ao", ö="ax r", u="uw", ü="ih uw", j="jh", c="jh"),
]
_CONSONANT_PHONES = dict(b="b", ç="ch", d="d", f="f", g="g", ğ="", h="hh", k="k", l="l", m="m", n="n", p="p", r="r", s="s",
                         ş="sh", t="t", v="v", y="y", z="z")
_CONSONANT_PHONES[" "] = ""


def flite_speak(text, random, voices=FLITE_VOICES):
    """Turkish with a heavy accent from an English synthesiser: another timbre, same letters."""
    phones = {**_CONSONANT_PHONES, **random.choice(_VOWEL_PHONES)}
    spoken = "pau " + " ".join(phones[c] for c in text if phones[c]) + " pau"
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", random.choice(voices), "--setf", f"duration_stretch={random.uniform(0.8, 1.25):.2f}",
                        "-p", spoken, "-o", file.name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with wave.open(file.name) as audio:
            rate = audio.getframerate()
            samples = np.frombuffer(audio.readframes(audio.getnframes()), np.int16).astype(np.float32)
    return _finish(resample_poly(samples, 160, round(rate * random.uniform(0.88, 1.15) / 50)))


def _finish(samples):
    samples = (samples / (np.abs(samples).max() + 1) * _PEAK).astype(np.int16)
    loud = np.nonzero(np.abs(samples) > _SILENCE)[0]
    return samples[max(0, loud[0] - _MARGIN):loud[-1] + _MARGIN] if len(loud) else samples
