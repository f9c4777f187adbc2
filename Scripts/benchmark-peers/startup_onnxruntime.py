"""One mask filled by a fresh process with as little as possible: onnxruntime, tokenizers, numpy."""
import sys

import numpy as np
import onnxruntime
import tokenizers

folder, directory, text, threads = sys.argv[1:]
tokenizer = tokenizers.BertWordPieceTokenizer(directory + "/vocab.txt", lowercase=True)
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = int(threads)
session = onnxruntime.InferenceSession(folder + "/fused.onnx", settings, providers=["CPUExecutionProvider"])
ids = np.array([tokenizer.encode(text).ids])
rows = np.flatnonzero(ids[0] == tokenizer.token_to_id("[MASK]"))
logits = session.run(None, {"ids": ids, "mask": np.ones_like(ids), "rows": rows})[0][0]
scores = np.exp(logits - logits.max())
scores /= scores.sum()
for identifier in np.argsort(-scores)[:5]:
    print(f"{scores[identifier]:.4f}", tokenizer.id_to_token(int(identifier)))
