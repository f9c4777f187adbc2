"""OpenVINO, scores at the masks alone, sorted by length.

bfloat16: the precision that it chooses itself on processors with such products. int8: quantized by NNCF, calibrated on the
samples; the rest in the precision that it chooses itself.
"""
import hashlib
import sys
from pathlib import Path

import openvino
import peer


def main():
    options = peer.arguments(__doc__)
    core = openvino.Core()
    hint = {"INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1}
    model = Path(options.cache) / "plain.onnx"
    if options.precision == "float32":
        hint["INFERENCE_PRECISION_HINT"] = "f32"
    elif options.precision == "int8":
        # Another calibration makes another model.
        digest = hashlib.sha256(Path(options.samples).read_bytes()).hexdigest()[:12]
        result = model.with_name(f"openvino-int8-{digest}.xml")
        model = peer.converted(result, "openvino-int8", model, options.samples)
    compiled = core.compile_model(str(model), "CPU", hint)
    chosen = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if options.precision == "bfloat16" and chosen != "bf16":
        sys.exit(f"OpenVINO computes in {chosen} on this processor, not in bfloat16")
    request = compiled.create_infer_request()

    def logits(batch):
        return request.infer({"ids": batch.ids, "mask": batch.mask, "rows": batch.rows})["logits"]

    work = peer.Inference(options.kind, peer.read_samples(options.samples), options.batch_size, logits)
    peer.serve(work, f"openvino {openvino.__version__}, {chosen}")


main()
