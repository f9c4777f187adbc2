"""CTranslate2's encoder in float32 or int8, sorted by length; the head is numpy's in float32, as CTranslate2 has none."""
import os
from pathlib import Path

import peer

THREADS = peer.arguments(__doc__).threads
os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

import ctranslate2
import numpy as np
from safetensors.numpy import load_file


def main():
    options = peer.arguments(__doc__)
    # int8_float32: weights and activations of products in int8, everything else in float32.
    compute_type = "int8_float32" if options.precision == "int8" else "float32"
    folder = Path(options.cache) / ("ctranslate2" if compute_type == "float32" else f"ctranslate2-{compute_type}")
    peer.converted(folder, "ctranslate2", options.model, compute_type)
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type=compute_type, intra_threads=THREADS)
    weights = load_file(os.path.join(options.model, "model.safetensors"))
    transform, embedding = weights["vocab_transform.weight"].T.copy(), weights["distilbert.embeddings.word_embeddings.weight"]
    erf = np.vectorize(__import__("math").erf, otypes=[np.float32])

    def logits(batch):
        lengths = batch.mask.sum(axis=1)
        ids = [row[:length].tolist() for row, length in zip(batch.ids, lengths)]
        hidden = np.array(encoder.forward_batch(ids).last_hidden_state)
        x = hidden.reshape(-1, hidden.shape[-1])[batch.rows] @ transform + weights["vocab_transform.bias"]
        x = 0.5 * x * (1 + erf(x / np.float32(2) ** 0.5))
        x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-12)
        x = x * weights["vocab_layer_norm.weight"] + weights["vocab_layer_norm.bias"]
        return x.astype(np.float32) @ embedding.T + weights["vocab_projector.bias"]

    work = peer.Inference(options.kind, peer.read_samples(options.samples), options.batch_size, logits)
    peer.serve(work, f"ctranslate2 {ctranslate2.__version__}, {encoder.compute_type}")


main()
