"""Hugging Face tokenizers (encode_batch_fast) and nanotoken, over the same lines; --batch-size 0 is nanotoken."""
import os
import time

import peer

OPTIONS = peer.arguments(__doc__)
os.environ["RAYON_NUM_THREADS"] = str(OPTIONS.threads)
os.environ["TOKENIZERS_PARALLELISM"] = "true" if OPTIONS.threads > 1 else "false"


class Tokenize:
    """`encode` gives ids of all lines end to end as something to iterate over, `count` their number without a copy."""

    def __init__(self, vocabulary, lines):
        self.lines = lines

    def check(self):
        total, count = 0, 0
        for identifier in self.flat(self.encode()):
            total = (total * 31 + int(identifier)) % 1_000_000_007
            count += 1
        return {"count": count, "sum": total}

    def round(self):
        passes, start = 0, time.perf_counter()
        while passes == 0 or time.perf_counter() - start < 0.3:
            found = self.encode()
            passes += 1
        return (time.perf_counter() - start) / passes, self.count(found)


class HuggingFace(Tokenize):
    def __init__(self, vocabulary, lines):
        import tokenizers

        super().__init__(vocabulary, lines)
        self.version = f"tokenizers {tokenizers.__version__}"
        self.tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)._tokenizer

    def encode(self):
        return self.tokenizer.encode_batch_fast(self.lines, add_special_tokens=False)

    def flat(self, found):
        return (identifier for encoding in found for identifier in encoding.ids)

    def count(self, found):
        return sum(len(encoding.ids) for encoding in found)


class Nanotoken(Tokenize):
    def __init__(self, vocabulary, lines):
        import importlib.metadata

        import nanotoken

        super().__init__(vocabulary, lines)
        self.version = f"nanotoken {importlib.metadata.version('nanotoken')}"
        self.tokenizer = nanotoken.Tokenizer.from_vocab(vocabulary, lowercase=True)

    def encode(self):
        return self.tokenizer.encode_batch(self.lines, add_special_tokens=False, parallel=OPTIONS.threads > 1)

    def flat(self, found):
        return found.ids

    def count(self, found):
        return len(found.ids)


def main():
    with open(OPTIONS.samples, newline="\n") as file:
        lines = file.read().split("\n")
    kind = Nanotoken if OPTIONS.batch_size == 0 else HuggingFace
    work = kind(os.path.join(OPTIONS.model, "vocab.txt"), lines)
    peer.serve(work, work.version)


main()
