"""Writes a model directory as ONNX, with the scores at the masks alone: as exported, and fused by ONNX Runtime's optimizer.

    export_onnx.py DIRECTORY FOLDER        makes FOLDER/plain.onnx and FOLDER/fused.onnx
"""
import json
import os
import sys
import warnings
from pathlib import Path

import torch
from masked_lm import load


def main():
    directory, folder = sys.argv[1], Path(sys.argv[2])
    if (folder / "fused.onnx").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    # The optimizer knows attention when it is spelled out.
    model = load(directory, attn_implementation="eager").eval()
    example = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64), torch.tensor([1, 9]))
    axes = {"ids": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}, "rows": {0: "masks"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, example, str(folder / "plain.onnx"), input_names=["ids", "mask", "rows"], output_names=["logits"],
            dynamic_axes=axes | {"logits": {0: "masks"}}, opset_version=17, dynamo=False)

    from onnxruntime.transformers import optimizer

    config = json.loads((Path(directory) / "config.json").read_text())
    fused = optimizer.optimize_model(
        str(folder / "plain.onnx"), model_type="bert", num_heads=config["n_heads"], hidden_size=config["dim"])
    print(fused.get_fused_operator_statistics(), file=sys.stderr)
    fused.save_model_to_file(str(folder / "fused.tmp.onnx"))
    os.replace(folder / "fused.tmp.onnx", folder / "fused.onnx")


main()
