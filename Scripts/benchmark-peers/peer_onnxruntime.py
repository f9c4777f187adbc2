"""ONNX Runtime, fused, scores at the masks alone, sorted by length; int8: dynamically quantized, per channel."""
from pathlib import Path

import onnxruntime
import peer


def main():
    options = peer.arguments(__doc__)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    # Its threads do not spin while others are measured.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    model = Path(options.cache) / "fused.onnx"
    if options.precision == "int8":
        model = peer.converted(model.with_name("fused-int8.onnx"), "onnxruntime-int8", model)
    session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])

    def logits(batch):
        return session.run(["logits"], {"ids": batch.ids, "mask": batch.mask, "rows": batch.rows})[0]

    work = peer.Inference(options.kind, peer.read_samples(options.samples), options.batch_size, logits)
    peer.serve(work, f"onnxruntime {onnxruntime.__version__}")


main()
