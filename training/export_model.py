#!/usr/bin/env python3
"""Write a checkpoint as ONNX with its description beside it, both replaced in one step each.

Refuses to export when the streamed outputs differ from those of the whole utterance.
"""
import argparse
import datetime
import hashlib
import json
import os

import onnx
import torch

from model import FRAME_SAMPLES, OUTPUTS, SAMPLE_RATE, Recogniser
from turkish import ALPHABET

OPSET = 17
MAX_STREAM_DIFFERENCE = 1e-4
MAX_BYTES = 8 * 1024 * 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checkpoint", required=True)
    arguments.add_argument("--out", required=True, help="the .onnx file; the description gets the same name with .json")
    arguments.add_argument("--version", default="1.0.0")
    options = arguments.parse_args()
    torch.set_num_threads(1)

    saved = torch.load(options.checkpoint)
    model = Recogniser().eval()
    model.load_state_dict(saved["model"])
    with torch.no_grad():
        difference = stream_difference(model)
        if difference > MAX_STREAM_DIFFERENCE:
            raise SystemExit(f"streamed outputs differ from the whole utterance's by {difference:g}")
        export(model, options.out + ".part", options.version)
    size = os.path.getsize(options.out + ".part")
    if size > MAX_BYTES:
        raise SystemExit(f"{size} bytes, more than {MAX_BYTES}")
    os.replace(options.out + ".part", options.out)
    describe(options.out, model, options.version)
    print(f"{options.out}: {size} bytes, step {saved['step']}, stream against whole {difference:.1e}")


def stream_difference(model, frames=60):
    """Largest difference between chunks of 1, 2, 3 ... frames and one call."""
    torch.manual_seed(0)
    samples = torch.randn(1, FRAME_SAMPLES * frames) * 0.1
    whole, state, pieces, start, size = model(samples), torch.zeros(1, model.state_size), [], 0, 1
    while start < frames:
        outputs, state = model.stream(samples[:, start * FRAME_SAMPLES:(start + size) * FRAME_SAMPLES], state)
        pieces.append(outputs)
        start, size = start + size, size + 1
    return (torch.cat(pieces, 1) - whole).abs().max().item()


class _Streaming(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, samples, state):
        return self.model.stream(samples, state)


def export(model, path, version):
    torch.onnx.export(
        _Streaming(model), (torch.zeros(1, 4 * FRAME_SAMPLES), torch.zeros(1, model.state_size)), path, opset_version=OPSET,
        input_names=["x", "state"], output_names=["logp", "state_out"],
        dynamic_axes={"x": {0: "batch", 1: "samples"}, "state": {0: "batch"},
                      "logp": {0: "batch", 1: "frames"}, "state_out": {0: "batch"}})
    graph = onnx.load(path)
    onnx.checker.check_model(graph)
    for key, value in {"model_type": "sentiric_ctc", "version": version, "sample_rate": SAMPLE_RATE, "frame_samples": FRAME_SAMPLES,
                       "state_dim": model.state_size, "alphabet": ALPHABET, "blank_id": 0, "language": "tr"}.items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.save(graph, path)


def describe(path, model, version):
    with open(path, "rb") as file:
        content = file.read()
    name = os.path.splitext(path)[0]
    description = {
        "id": os.path.basename(name),
        "version": version,
        "kind": "stt",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "alphabet": ALPHABET,
        "blank": 0,
        "classes": OUTPUTS,
        "sample_rate": SAMPLE_RATE,
        "frame_ms": FRAME_SAMPLES * 1000 // SAMPLE_RATE,
        "frame_samples": FRAME_SAMPLES,
        "state_dim": model.state_size,
        "inputs": ["x", "state"],
        "outputs": ["logp", "state_out"],
        "input_range": [-1, 1],
        "languages": ["tr"],
        "licence": "none chosen yet (as the project)",
        "trained_on": "synthetic speech only",
        "date": datetime.date.today().isoformat(),
    }
    with open(name + ".json.part", "w", encoding="utf-8") as file:
        json.dump(description, file, ensure_ascii=False, indent=2)
        file.write("\n")
    os.replace(name + ".json.part", name + ".json")


if __name__ == "__main__":
    main()
