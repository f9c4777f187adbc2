"""What all peers share: the protocol of the driver, the samples, and top-5 lists.

A peer is a process that loads, says {"ready": true}, answers `check` with its results and each `run` with the seconds of one
round, and ends with its standard input.
"""
import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("kind", choices=["predict", "latency", "evaluate", "fit", "tokenize"])
    parser.add_argument("--model", required=True, help="model directory")
    parser.add_argument("--samples", required=True, help="JSON lines of masked samples; for tokenize, text")
    parser.add_argument("--precision", choices=["float32", "bfloat16", "int8"], default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--cache", default=".", help="where converted models are kept")
    return parser.parse_args()


def read_samples(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def converted(path, *arguments):
    """Returns the path of a converted model, which convert.py makes if it is missing. It runs in a process of its own, so
    that its memory does not count as the peer's."""
    if not path.exists():
        script = Path(__file__).with_name("convert.py")
        # Its last message is this process's.
        if subprocess.run([sys.executable, str(script), *map(str, arguments), str(path)], stdout=sys.stderr).returncode:
            sys.exit(1)
    return path


def peak_megabytes():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def serve(work, version):
    """Answers the driver. `work` has check() and round() -> (seconds, tokens) or (seconds, tokens, dict)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    answers = sys.stdout
    sys.stdout = sys.stderr

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    answer({"ready": True, "version": version})
    for line in sys.stdin:
        if line.strip() == "check":
            answer({"check": work.check()})
        else:
            seconds, tokens, *more = work.round()
            values = {"seconds": seconds, "tokens": tokens, "peak_rss_mb": peak_megabytes()}
            answer(values | (more[0] if more else {}))


class Batch:
    """Samples padded to the longest of them, with the places of the masks in the flattened batch."""

    def __init__(self, samples, indices):
        self.indices = indices
        chosen = [samples[index] for index in indices]
        longest = max(len(sample["token_ids"]) for sample in chosen)
        self.ids = np.zeros((len(chosen), longest), dtype=np.int64)
        self.mask = np.zeros((len(chosen), longest), dtype=np.int64)
        rows, labels = [], []
        for row, sample in enumerate(chosen):
            length = len(sample["token_ids"])
            self.ids[row, :length] = sample["token_ids"]
            self.mask[row, :length] = 1
            rows += [row * longest + position for position in sample["mask_positions"]]
            labels += sample["labels"]
        self.rows = np.array(rows, dtype=np.int64)
        self.labels = np.array(labels, dtype=np.int64)
        self.tokens = int(self.mask.sum())


def batches(samples, size, sort):
    order = sorted(range(len(samples)), key=lambda index: len(samples[index]["token_ids"])) if sort else range(len(samples))
    order = list(order)
    return [Batch(samples, order[start:start + size]) for start in range(0, len(order), size)]


def best(logits, count=5):
    """Ids and probabilities of the best of each row, best first."""
    top = np.argpartition(-logits, count, axis=1)[:, :count]
    scores = np.take_along_axis(logits, top, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    top, scores = np.take_along_axis(top, order, axis=1), np.take_along_axis(scores, order, axis=1)
    peak = logits.max(axis=1, keepdims=True)
    total = np.exp(logits - peak).sum(axis=1, keepdims=True)
    return top, np.exp(scores - peak) / total


def losses(logits, labels):
    """Cross-entropy of each row."""
    peak = logits.max(axis=1)
    return np.log(np.exp(logits - peak[:, None]).sum(axis=1)) + peak - logits[np.arange(len(labels)), labels]


class Inference:
    """predict, latency and evaluate over a function from a batch to the logits (masks × vocabulary, numpy) of its masks."""

    CALLS = 40

    def __init__(self, kind, samples, size, logits):
        self.kind = kind
        self.samples = samples
        self.logits = logits
        self.batches = batches(samples, size, sort=True)
        self.tokens = sum(batch.tokens for batch in self.batches)

    def check(self):
        if self.kind == "evaluate":
            return {"loss": self.evaluate()}
        for _ in range(10 if self.kind == "latency" else 1):
            found = self.predict()
        return {"ids": [ids.tolist() for ids, _ in found], "probabilities": [values.tolist() for _, values in found]}

    def predict(self):
        found = [None] * len(self.samples)
        for batch in self.batches:
            ids, probabilities = best(self.logits(batch))
            for row, index in enumerate(batch.indices):
                found[index] = (ids[row], probabilities[row])
        return found

    def evaluate(self):
        total, count = 0.0, 0
        for batch in self.batches:
            values = losses(self.logits(batch), batch.labels)
            total += float(values.sum(dtype=np.float64))
            count += len(values)
        return total / count

    def round(self):
        work = self.evaluate if self.kind == "evaluate" else self.predict
        if self.kind != "latency":
            start = time.perf_counter()
            work()
            return time.perf_counter() - start, self.tokens
        times = []
        for _ in range(self.CALLS):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        times.sort()
        middle = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2
        return middle, self.tokens, {"p90_seconds": times[int(len(times) * 0.9)], "calls": self.CALLS}
