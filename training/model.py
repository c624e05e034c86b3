"""The streaming recogniser: raw 8 kHz samples in, letter log-probabilities every 30 ms out.

  samples -> log-mel (25 ms window, 10 ms hop) -> 3 frames stacked -> linear -> causal convolution -> 3 x residual GRU -> letters

The front end is part of the graph, so that an engine needs nothing but the samples. Everything is causal:
what a chunk needs from the past is one flat state vector,
  [ 120 samples | 4 columns of convolution input | one hidden vector per GRU layer ].
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from gru import GruLayer
from turkish import ALPHABET

SAMPLE_RATE = 8000
FRAME_SAMPLES = 240
OUTPUTS = len(ALPHABET) + 1  # 0 is CTC's blank
_WINDOW, _HOP, _FFT, _STACK = 200, 80, 256, 3
_TAIL = _WINDOW - _HOP
_KERNEL = 5


class LogMel(nn.Module):
    """A fixed convolution computes the windowed DFT, a fixed matrix sums it into mel bands."""

    def __init__(self, bands, low_hz=80, high_hz=3900):
        super().__init__()
        n, k = np.arange(_WINDOW), np.arange(_FFT // 2 + 1)[:, None]
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / _WINDOW)
        dft = np.concatenate([np.cos(2 * np.pi * k * n / _FFT) * hann, -np.sin(2 * np.pi * k * n / _FFT) * hann])
        self.register_buffer("dft", torch.tensor(dft[:, None, :], dtype=torch.float32))
        self.register_buffer("mel", torch.tensor(_mel_filters(bands, low_hz, high_hz), dtype=torch.float32))

    def forward(self, samples):
        spectrum = functional.conv1d(samples[:, None, :], self.dft, stride=_HOP)
        bins = _FFT // 2 + 1
        power = spectrum[:, :bins] ** 2 + spectrum[:, bins:] ** 2
        return torch.log(torch.matmul(power.transpose(1, 2), self.mel) + 1e-4)


def _mel_filters(bands, low_hz, high_hz):
    def to_mel(hz):
        return 1127 * np.log(1 + hz / 700)

    edges = 700 * (np.exp(np.linspace(to_mel(low_hz), to_mel(high_hz), bands + 2) / 1127) - 1)
    frequencies = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    filters = np.zeros((len(frequencies), bands))
    for i in range(bands):
        left, centre, right = edges[i:i + 3]
        filters[:, i] = np.maximum(0, np.minimum((frequencies - left) / (centre - left), (right - frequencies) / (right - centre)))
    return filters


class Recogniser(nn.Module):
    def __init__(self, width=256, layers=3, bands=40):
        super().__init__()
        self.width, self.layers = width, layers
        self.front = LogMel(bands)
        self.register_buffer("mean", torch.full((bands,), -2.0))
        self.register_buffer("deviation", torch.full((bands,), 3.0))
        self.inputs = nn.Sequential(nn.Linear(bands * _STACK, width), nn.LayerNorm(width), nn.ReLU())
        self.convolution = nn.Conv1d(width, width, _KERNEL)
        self.recurrent = nn.ModuleList(GruLayer(width) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.letters = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, OUTPUTS))

    @property
    def state_size(self):
        return _TAIL + (_KERNEL - 1) * self.width + self.layers * self.width

    def forward(self, samples):
        """Whole utterances [B, S] -> log-probabilities [B, S // 240, OUTPUTS]."""
        state = torch.zeros(samples.shape[0], self.state_size)
        return self.stream(samples, state)[0]

    def stream(self, samples, state):
        """A chunk [B, S], S a multiple of FRAME_SAMPLES, and the state before it -> log-probabilities, state after it."""
        batch, width = samples.shape[0], self.width
        tail, columns, hidden = torch.split(state, [_TAIL, (_KERNEL - 1) * width, self.layers * width], 1)
        padded = torch.cat([tail, samples], 1)
        z = self.inputs(self._stacked(padded))
        seen = torch.cat([columns.reshape(batch, width, _KERNEL - 1), z.transpose(1, 2)], 2)
        z = z + torch.relu(self.convolution(seen)).transpose(1, 2)
        next_state = [padded[:, -_TAIL:], seen[:, :, -(_KERNEL - 1):].reshape(batch, -1)]
        for norm, layer, before in zip(self.norms, self.recurrent, torch.split(hidden, width, 1)):
            learned, after = layer(norm(z), before)
            z = z + learned
            next_state.append(after)
        return torch.log_softmax(self.letters(z), -1), torch.cat(next_state, 1)

    def _stacked(self, samples):
        frames = (self.front(samples) - self.mean) / self.deviation
        batch, count, bands = frames.shape
        return frames[:, :count // _STACK * _STACK].reshape(batch, -1, bands * _STACK)
