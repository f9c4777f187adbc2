"""ONNX Runtime, float32, fused, scores at the masks alone, sorted by length."""
from pathlib import Path

import onnxruntime
import peer


def main():
    options = peer.arguments(__doc__)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    # Its threads do not spin while others are measured.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(
        str(Path(options.cache) / "fused.onnx"), settings, providers=["CPUExecutionProvider"])

    def logits(batch):
        return session.run(["logits"], {"ids": batch.ids, "mask": batch.mask, "rows": batch.rows})[0]

    work = peer.Inference(options.kind, peer.read_samples(options.samples), options.batch_size, logits)
    peer.serve(work, f"onnxruntime {onnxruntime.__version__}")


main()
