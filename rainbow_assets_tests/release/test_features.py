"""Feature metadata, held against `datasets` itself."""

from __future__ import annotations

import json

import datasets
import pyarrow as pa
import pytest

from rainbow_assets.release.features import (
    AUDIO,
    PREVIEW_SCHEMA,
    UnpublishableColumn,
    audio_columns,
    type_label,
    with_features,
)

KINDS = {
    "string": pa.string(), "large_string": pa.large_string(), "bool": pa.bool_(), "int8": pa.int8(),
    "int32": pa.int32(), "int64": pa.int64(), "uint16": pa.uint16(), "float16": pa.float16(), "float32": pa.float32(),
    "float64": pa.float64(), "binary": pa.binary(), "timestamp": pa.timestamp("us"),
    "zoned": pa.timestamp("ms", "UTC"), "date": pa.date32(), "time": pa.time64("us"), "duration": pa.duration("s"),
    "words": pa.list_(pa.string()), "many": pa.large_list(pa.int64()), "emb": pa.list_(pa.float32(), 8),
    "struct": pa.struct([("a", pa.int64()), ("b", pa.list_(pa.int8()))]),
    "sections": pa.list_(pa.struct([("name", pa.string()), ("start_ms", pa.int64())])), "audio": AUDIO,
}


def test_datasets_reads_the_same_types_back() -> None:
    schema = with_features(pa.schema(list(KINDS.items())))
    features = datasets.Features.from_arrow_schema(schema)
    assert features.arrow_schema.remove_metadata().equals(schema.remove_metadata())
    assert isinstance(features["audio"], datasets.Audio) and features["audio"].sampling_rate == 44100
    assert isinstance(features["emb"], datasets.List) and features["emb"].length == 8


def test_the_original_eleven_columns_and_types() -> None:
    original = {
        "segment_id": "string", "rainbow_color": "string", "concept": "string", "lyric_text": "string",
        "start_seconds": "float64", "end_seconds": "float64", "duration_seconds": "float64", "bpm": "float32",
        "key_signature_note": "string", "key_signature_mode": "string", "audio": "Audio",
    }
    assert {name: type_label(PREVIEW_SCHEMA.field(name).type) for name in original} == original
    assert audio_columns(PREVIEW_SCHEMA) == ("audio",)
    assert all((item.metadata or {}).get(b"doc") for item in PREVIEW_SCHEMA)


@pytest.mark.parametrize(("kind", "said"), [
    (pa.decimal128(5, 2), "decimal128"), (pa.map_(pa.string(), pa.int64()), "map"),
    (pa.dictionary(pa.int8(), pa.string()), "dictionary"),
    (pa.struct([("_type", pa.string())]), "_type"),
])
def test_what_datasets_cannot_load_is_refused(kind: pa.DataType, said: str) -> None:
    with pytest.raises(UnpublishableColumn, match=said):
        with_features(pa.schema([("x", kind)]))


def test_metadata_is_deterministic_and_replaces_what_was_there() -> None:
    first = with_features(PREVIEW_SCHEMA)
    assert with_features(first.with_metadata({"pandas": "old"})).metadata == first.metadata
    assert list(json.loads(first.metadata[b"huggingface"])["info"]["features"]) == PREVIEW_SCHEMA.names
