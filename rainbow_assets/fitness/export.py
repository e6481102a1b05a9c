"""Export a trained model as an ONNX file with its contract. Needs torch, onnx and onnxscript."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import onnx
import torch

from rainbow_assets.fitness import roll
from rainbow_assets.fitness.contract import INPUTS, KEY, OUTPUTS, Contract
from rainbow_assets.fitness.model import Exported, ModelSpec
from rainbow_assets.fitness.train import load_model

EXAMPLE_ROWS = 3
"""Rows of the example input; more than one, because torch.export takes a length of 1 as fixed."""


def to_onnx(weights: bytes, spec: ModelSpec) -> bytes:
    """Return the model as an ONNX file with a free batch dimension, without dropout, with batch norms folded in."""
    model = Exported(load_model(weights, spec)).eval()
    rows = EXAMPLE_ROWS
    flags = [torch.ones(rows, dtype=torch.bool) for _ in range(4)]
    example = (torch.zeros(rows, *roll.SHAPE), torch.zeros(rows, spec.audio), torch.zeros(rows, spec.concept),
               torch.zeros(rows, spec.lyric), *flags)
    free = torch.export.Dim("batch", min=1)
    # The exporter prints its progress and warns about optional packages.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(model, example, dynamo=True, input_names=list(INPUTS), output_names=list(OUTPUTS),
                                    dynamic_shapes=[{0: free}] * len(INPUTS), external_data=False)
    assert program is not None
    return _without_traces(program.model_proto).SerializeToString()


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``model`` without the exporter's stack traces: their paths would differ from machine to machine."""
    graph = model.graph
    for item in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del item.metadata_props[:]
    return model


def with_contract(model: bytes, contract: Contract) -> bytes:
    """Return the ONNX file with ``contract`` in its ``metadata_props``."""
    proto = onnx.load_from_string(model)
    del proto.metadata_props[:]
    proto.metadata_props.add(key=KEY, value=contract.to_json())
    onnx.checker.check_model(proto)
    return proto.SerializeToString()


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
