"""The types of published columns: the ``huggingface`` schema metadata that makes a parquet file a typed dataset.

The metadata in each parquet file is the only declaration of features. The card has no ``dataset_info``: the
``datasets`` loader trusts it more than the files, so a card that is one edit behind would silently lose the Audio
feature (struct instead of player), add null columns or fail to load on a wrong row count.
This module needs neither ``datasets``, torch nor torchcodec; tests compare its result with ``datasets.Features``.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from rainbow_assets.errors import RainbowError

SAMPLING_RATE = 44100
DECODE = False
"""Published as ``Audio(sampling_rate=44100, decode=False)``: rows contain the FLAC bytes unchanged, and they play.

With ``decode=True``, ``datasets`` 5.2 decodes every Audio cell that ``filter``, ``map`` or indexing touches (``filter``
touches all columns) and raises ImportError without torchcodec. The viewer's player ignores this flag, and with
torchcodec installed ``cast_column("audio", Audio(sampling_rate=44100))`` returns decoded samples.
"""
AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""Storage of an Audio cell: the encoded file, and a name, from whose extension the viewer takes the format."""


class UnpublishableColumn(RainbowError):
    """A column whose type ``datasets`` cannot load."""


def _column(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


PREVIEW_SCHEMA = pa.schema([
    _column("segment_id", pa.string(), "key: <song>_t<track>_<start in ms>; track 00 is the main mix"),
    _column("rainbow_color", pa.string(), "full color name"),
    _column("concept", pa.string(), "what the song is about, in the artist's words; long texts end with an ellipsis"),
    _column("lyric_text", pa.string(), "lyric of the slice; empty if there is none"),
    _column("start_seconds", pa.float64(), "start of the slice in the song, seconds"),
    _column("end_seconds", pa.float64(), "end of the slice in the song, seconds"),
    _column("duration_seconds", pa.float64(), "length of the slice, seconds"),
    _column("bpm", pa.float32(), "beats per minute; null if unknown"),
    _column("key_signature_note", pa.string(), "tonic with its accidental (Bb, F#, C)"),
    _column("key_signature_mode", pa.string(), "major or minor"),
    _column("key", pa.string(), "tonic and mode, for example Bb minor"),
    _column("song_id", pa.string(), "song, <album>_<sequence>"),
    _column("title", pa.string(), "song title"),
    _column("track_description", pa.string(), "what plays on the stem"),
    _column("track_group", pa.string(), "instrument group as written; null if there is none"),
    _column("license", pa.string(), "license of the row"),
    _column("attribution", pa.string(), "name to credit"),
    _column("audio", AUDIO, "the sound of the slice: FLAC, mono, 44.1 kHz"),
])
"""The published columns of ``preview`` and ``preview_mix``: the original eleven, and seven about song and stem."""


def is_audio(kind: pa.DataType) -> bool:
    """Return True if a column of this type is an Audio column (``struct<bytes: binary, path: string>``)."""
    return bool(kind.equals(AUDIO))


def with_features(schema: pa.Schema, sampling_rate: int = SAMPLING_RATE) -> pa.Schema:
    """Return ``schema`` with the ``huggingface`` metadata; ``struct<bytes, path>`` columns become Audio features.

    Fields keep their own metadata (``doc``); other schema metadata is dropped. Raises ``UnpublishableColumn``.
    """
    features = {item.name: _feature(item.type, item.name, sampling_rate) for item in schema}
    info = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return schema.with_metadata({"huggingface": info})


def audio_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Return the names of the Audio columns, in order."""
    return tuple(item.name for item in schema if is_audio(item.type))


def type_label(kind: pa.DataType) -> str:
    """Return the card's name for a column's type, for example ``string``, ``list of float32 (768)`` or ``Audio``."""
    if is_audio(kind):
        return "Audio"
    if pa.types.is_struct(kind):
        fields = [kind.field(n) for n in range(kind.num_fields)]
        return f"struct of {', '.join(f'{item.name}: {type_label(item.type)}' for item in fields)}"
    if pa.types.is_fixed_size_list(kind):
        return f"list of {type_label(kind.value_type)} ({kind.list_size})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list of {type_label(kind.value_type)}"
    return _dtype(kind, "of this table")


def _feature(kind: pa.DataType, where: str, rate: int) -> dict[str, Any]:
    """Return one feature as ``datasets`` serializes it; a struct is a plain mapping of its fields."""
    if is_audio(kind):
        return {"sampling_rate": rate, "decode": DECODE, "_type": "Audio"}
    if pa.types.is_struct(kind):
        fields = [kind.field(n) for n in range(kind.num_fields)]
        if any(item.name == "_type" for item in fields):
            raise UnpublishableColumn(f"column {where} has a field named '_type', which datasets reserves for itself; "
                                      "rename the field")
        return {item.name: _feature(item.type, f"{where}.{item.name}", rate) for item in fields}
    if pa.types.is_fixed_size_list(kind):
        return {"feature": _feature(kind.value_type, f"{where}[]", rate), "length": kind.list_size, "_type": "List"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type, f"{where}[]", rate), "_type": "List"}
    if pa.types.is_large_list(kind):
        return {"feature": _feature(kind.value_type, f"{where}[]", rate), "_type": "LargeList"}
    return {"dtype": _dtype(kind, where), "_type": "Value"}


_PLAIN = frozenset((
    "null", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "string",
    "large_string", "binary", "large_binary",
))
_RENAMED = {"halffloat": "float16", "float": "float32", "double": "float64", "date32[day]": "date32",
            "date64[ms]": "date64"}


def _dtype(kind: pa.DataType, where: str) -> str:
    name = str(kind)
    if name in _PLAIN:
        return name
    if name in _RENAMED:
        return _RENAMED[name]
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind):
        return name
    raise UnpublishableColumn(f"column {where} has the type {kind}, which datasets cannot load; publish it as text, "
                              "a number, a list, a struct or bytes")
