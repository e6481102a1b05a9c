"""`croissant.json`: a machine-readable description of the version (mlcommons.org/croissant, 1.0).

It has a record set per config and is made from the same facts as the card. The same version gives the same bytes.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from rainbow_assets.release.bundle import Bundle, BundleConfig
from rainbow_assets.release.card import REPOSITORY, TAGS
from rainbow_assets.release.credit import Songs, credit, notices
from rainbow_assets.release.features import is_audio
from rainbow_assets.release.versions import Version

NAME = "croissant.json"
HUB = "https://huggingface.co/datasets"
_PARQUET = "application/x-parquet"
_CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}


def render_croissant(
    bundle: Bundle, version: Version, repository: str = REPOSITORY, songs: Songs | None = None
) -> bytes:
    """Return the JSON-LD of a written bundle: every data file with its sha256, every column with its meaning.

    ``songs``: who made the music of which songs.
    """
    where, made_by = f"{HUB}/{repository}", credit(songs or {})
    # Croissant does not define the sha256 of a git repository; the Hub writes this address instead.
    repo = {"@type": "cr:FileObject", "@id": "repo", "name": "repo", "description": "the repository on the Hub",
            "contentUrl": f"{where}/tree/{version.tag}", "encodingFormat": "git+https",
            "sha256": "https://github.com/mlcommons/croissant/issues/80"}
    files = [{"@type": "cr:FileObject", "@id": file.path, "name": file.path, "contentSize": f"{file.bytes} B",
              "description": f"{file.rows} rows of {file.color}, {file.split}", "sha256": file.sha256,
              "encodingFormat": _PARQUET, "contentUrl": f"{where}/resolve/{version.tag}/{file.path}"}
             for file in bundle.files]
    sets = [{"@type": "cr:FileSet", "@id": f"{config.table.config}-files", "name": f"{config.table.config}-files",
             "description": f"the files of the config {config.table.config}", "containedIn": {"@id": "repo"},
             "encodingFormat": _PARQUET, "includes": f"{config.table.config}/*.parquet"} for config in bundle.configs]
    document = {
        "@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": repository.rpartition("/")[2], "description": " ".join([f"{made_by.title}.", *notices(songs or {})]),
        "url": where, "version": str(version), "license": made_by.license_link,
        "keywords": list(TAGS), "inLanguage": "en",
        "creator": {"@type": "sc:Organization", "name": made_by.author},
        "citeAs": f"@misc{{earthlyframes_rainbow_table, author={{{made_by.author}}}, title={{{made_by.title}}}, "
                  f"version={{{version}}}, howpublished={{{where}}}}}",
        "isLiveDataset": False, "distribution": [repo, *files, *sets],
        "recordSet": [_record_set(config) for config in bundle.configs],
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _record_set(config: BundleConfig) -> dict[str, Any]:
    name, schema = config.table.config, config.table.schema
    keys = [column for column in ("segment_id",) if column in schema.names]
    return {"@type": "cr:RecordSet", "@id": name, "name": name,
            "description": config.table.card_section.strip() or f"the config {name}",
            **({"key": {"@id": f"{name}/{keys[0]}"}} if keys else {}),
            "field": [_field(item, name) for item in schema]}


def _field(item: pa.Field, config: str) -> dict[str, Any]:
    kind, repeated = item.type, False
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind, repeated = kind.value_type, True
    meaning = (item.metadata or {}).get(b"doc", b"").decode()
    return {"@type": "cr:Field", "@id": f"{config}/{item.name}", "name": item.name, "description": meaning,
            "dataType": _data_type(kind), **({"repeated": True} if repeated else {}),
            "source": {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": item.name}}}


def _data_type(kind: pa.DataType) -> str:
    if is_audio(kind):
        return "sc:AudioObject"
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
