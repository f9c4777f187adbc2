"""OpenVINO, float32, scores at the masks alone, sorted by length."""
from pathlib import Path

import openvino
import peer


def main():
    options = peer.arguments(__doc__)
    core = openvino.Core()
    hint = {"INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(str(Path(options.cache) / "plain.onnx"), "CPU", hint).create_infer_request()

    def logits(batch):
        return request.infer({"ids": batch.ids, "mask": batch.mask, "rows": batch.rows})["logits"]

    work = peer.Inference(options.kind, peer.read_samples(options.samples), options.batch_size, logits)
    peer.serve(work, f"openvino {openvino.__version__}")


main()
