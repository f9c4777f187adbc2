"""Hugging Face tokenizers, encode_batch_fast."""
import os
import time

import peer

THREADS = peer.arguments(__doc__).threads
os.environ["RAYON_NUM_THREADS"] = str(THREADS)
os.environ["TOKENIZERS_PARALLELISM"] = "true" if THREADS > 1 else "false"

import tokenizers


class Tokenize:
    def __init__(self, options):
        self.tokenizer = tokenizers.BertWordPieceTokenizer(os.path.join(options.model, "vocab.txt"), lowercase=True)
        with open(options.samples, newline="\n") as file:
            self.lines = file.read().split("\n")

    def encode(self):
        return self.tokenizer._tokenizer.encode_batch_fast(self.lines, add_special_tokens=False)

    def check(self):
        count, total = 0, 0
        for encoding in self.encode():
            count += len(encoding.ids)
            for identifier in encoding.ids:
                total = (total * 31 + identifier) % 1_000_000_007
        return {"count": count, "sum": total}

    def round(self):
        start = time.perf_counter()
        found = self.encode()
        seconds = time.perf_counter() - start
        return seconds, sum(len(encoding.ids) for encoding in found)


peer.serve(Tokenize(peer.arguments(__doc__)), f"tokenizers {tokenizers.__version__}")
