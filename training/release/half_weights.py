"""Weights of a graph in half precision: the file is half as large, and the runtime widens them once when it loads it.

Nothing else changes: all arithmetic stays in single precision, and a network whose weights were `rounded` first gives
the same numbers in torch and in the graph.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

LEAST_VALUES = 256
"""Smaller tensors stay as they are: halving them saves nothing."""


def rounded(network: nn.Module) -> None:
    """Round every parameter to half precision, in place."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())


def halve(path: Path) -> None:
    """Store the weights of an ``.onnx`` in half precision, each with a cast behind it that is folded at loading."""
    model = onnx.load(path)
    _halve_graph(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _halve_graph(graph: onnx.GraphProto) -> None:
    casts = [cast for tensor in graph.initializer if (cast := _halved(tensor))]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _halve_graph(attribute.g)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _exact(values: np.ndarray) -> bool:
    """Whether half precision holds the values. What the exporter computed from weights, such as a normalised library
    or a convolution with the scales of a batch norm, it does not."""
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float16) == values).all())


def _halved(tensor: TensorProto) -> onnx.NodeProto | None:
    """Halve a tensor in place; the cast that gives it back under its own name, or None where it stays as it is."""
    values = numpy_helper.to_array(tensor)
    if values.dtype != np.float32 or values.size < LEAST_VALUES or not _exact(values):
        return None
    name = tensor.name
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
    return helper.make_node("Cast", [tensor.name], [name], f"{name}_widened", to=TensorProto.FLOAT)
