"""KerasHub on JAX, jit-compiled, training on preprocessed samples of one length."""
import os
import time

os.environ["KERAS_BACKEND"] = "jax"
import peer

THREADS = peer.arguments(__doc__).threads
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + f" --xla_cpu_multi_thread_eigen={'true' if THREADS > 1 else 'false'} intra_op_parallelism_threads={THREADS}"

import jax
import keras
import keras_hub
import numpy as np
from safetensors import safe_open


def load(directory):
    backbone = keras_hub.models.DistilBertBackbone.from_preset(directory)
    model = keras_hub.models.DistilBertMaskedLM(backbone, preprocessor=None)
    head = model.masked_lm_head
    # KerasHub takes the backbone of a directory alone.
    with safe_open(os.path.join(directory, "model.safetensors"), "numpy") as file:
        head._intermediate_dense.set_weights([file.get_tensor("vocab_transform.weight").T, file.get_tensor("vocab_transform.bias")])
        norm = [file.get_tensor(f"vocab_layer_norm.{name}") for name in ("weight", "bias")]
        head._intermediate_layer_norm.set_weights(norm)
        for variable in head.weights:
            if variable.path.endswith("output_bias"):
                variable.assign(file.get_tensor("vocab_projector.bias"))
    return model


class Fit:
    def __init__(self, model, samples, size):
        self.model = model
        slots = max(len(sample["mask_positions"]) for sample in samples)
        self.batches = [self.batch(samples[start:start + size], slots) for start in range(0, len(samples), size)]
        self.steps = 0
        model.compile(
            optimizer=keras.optimizers.Adam(1e-5),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)

    @staticmethod
    def batch(samples, slots):
        def padded(name, dtype):
            return np.array([s[name] + [0] * (slots - len(s[name])) for s in samples], dtype=dtype)

        ids = np.array([sample["token_ids"] for sample in samples], dtype=np.int32)
        weights = np.array(
            [[1.0] * len(s["labels"]) + [0.0] * (slots - len(s["labels"])) for s in samples], dtype=np.float32)
        inputs = {
            "token_ids": ids, "padding_mask": np.ones_like(ids), "mask_positions": padded("mask_positions", np.int32)}
        return inputs, padded("labels", np.int32), weights

    def check(self):
        inputs, labels, weights = self.batches[0]
        logits = np.asarray(self.model(inputs, training=False))
        values = peer.losses(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))
        loss = float((values * weights.reshape(-1)).sum() / weights.sum())
        for _ in range(2):
            self.round()
        self.steps = 0
        return {"loss": loss}

    def round(self):
        inputs, labels, weights = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        start = time.perf_counter()
        self.model.train_on_batch(inputs, labels, sample_weight=weights)
        jax.block_until_ready([variable.value for variable in self.model.trainable_variables])
        return time.perf_counter() - start, int(inputs["padding_mask"].sum())


def main():
    options = peer.arguments(__doc__)
    work = Fit(load(options.model), peer.read_samples(options.samples), options.batch_size)
    peer.serve(work, f"keras-hub {keras_hub.__version__}, keras {keras.__version__}, jax {jax.__version__}")


main()
