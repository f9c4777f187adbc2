"""Converts a model for peers that compute in other formats than ONNX's float32.

    convert.py onnxruntime-int8 FUSED.onnx RESULT.onnx
    convert.py openvino-int8 PLAIN.onnx SAMPLES.jsonl RESULT.xml
    convert.py ctranslate2 DIRECTORY QUANTIZATION RESULT

Nothing is left at the result's path if it fails.
"""
import shutil
import sys
import tempfile
from pathlib import Path


def onnxruntime_int8(model, result):
    """Weights in int8 with a scale per output; activations are quantized during inference, with a scale per tensor."""
    import onnx
    from onnxruntime.quantization import quantize_dynamic

    # The fused operators hide the types from onnx.
    types = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(model, str(result), per_channel=True, extra_options=types)


def openvino_int8(model, samples, result):
    """Post-training quantization, calibrated on the samples one by one."""
    import nncf
    import openvino
    import peer

    batches = peer.batches(peer.read_samples(samples), 1, sort=False)
    data = nncf.Dataset(batches, lambda batch: {"ids": batch.ids, "mask": batch.mask, "rows": batch.rows})
    quantized = nncf.quantize(
        openvino.Core().read_model(model), data, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(batches))
    openvino.save_model(quantized, str(result), compress_to_fp16=False)


def ctranslate2(directory, quantization, result):
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(directory).convert(str(result), quantization=quantization)


def main():
    name, *arguments, result = sys.argv[1:]
    convert = {"onnxruntime-int8": onnxruntime_int8, "openvino-int8": openvino_int8, "ctranslate2": ctranslate2}[name]
    result = Path(result)
    with tempfile.TemporaryDirectory(dir=result.parent) as folder:
        convert(*arguments, Path(folder) / result.name)
        # The named file last: an OpenVINO model is two files, found by the .xml.
        for path in sorted(Path(folder).iterdir()):
            shutil.move(path, result.with_name(path.name))


main()
