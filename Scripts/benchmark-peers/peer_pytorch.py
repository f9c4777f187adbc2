"""PyTorch, eager, scores at the masks alone: predict and evaluate sorted by length, fit with fused AdamW in the order given.

bfloat16: by autocast.
"""
import sys
import time

import peer
import torch
from masked_lm import load


def tensors(batch):
    return torch.from_numpy(batch.ids), torch.from_numpy(batch.mask), torch.from_numpy(batch.rows)


class Fit:
    def __init__(self, model, samples, size):
        self.model = model
        self.batches = peer.batches(samples, size, sort=False)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0, fused=True)
        self.steps = 0

    def check(self):
        self.model.eval()
        with torch.inference_mode():
            loss = self.loss(self.batches[0]).item()
        self.model.train()
        for _ in range(2):
            self.round()
        self.steps = 0
        return {"loss": loss}

    def loss(self, batch):
        return torch.nn.functional.cross_entropy(self.model(*tensors(batch)), torch.from_numpy(batch.labels))

    def round(self):
        batch = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(batch)
        loss.backward()
        self.optimizer.step()
        loss.item()
        return time.perf_counter() - start, batch.tokens


def main():
    options = peer.arguments(__doc__)
    torch.set_num_threads(options.threads)
    # Without oneDNN's products, 16 lines took 42 s (Zen 3).
    if options.precision == "bfloat16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        sys.exit("PyTorch has no fast bfloat16 products on this processor")
    model = load(options.model)
    samples = peer.read_samples(options.samples)

    @torch.inference_mode()
    def logits(batch):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bfloat16"):
            return model(*tensors(batch)).float().numpy()

    if options.kind == "fit":
        work = Fit(model, samples, options.batch_size)
    else:
        model.eval()
        work = peer.Inference(options.kind, samples, options.batch_size, logits)
    peer.serve(work, f"torch {torch.__version__}")


main()
