"""A small chain of steps over plain values: a source of words, their lengths, and the sum per length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.storage.shard import Shard

WORDS = pa.schema([("key", pa.string()), ("word", pa.string()), ("note", pa.string())])
LENGTHS = pa.schema([("key", pa.string()), ("length", pa.int64())])


@dataclass
class World:
    """The outside world of the toy: rows by key, each (part, word, note), and how often each was computed."""

    rows: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)
    length_ok: bool = True

    def words(self) -> RowAsset:
        """A step that reads the world."""

        def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
            return pl.DataFrame(
                [(key, part, digest(word), digest(note)) for key, (part, word, note) in self.rows.items()],
                schema=dict.fromkeys(["key", "part", "in:corpus.word", "in:corpus.note"], pl.String), orient="row")

        def compute(work: Work) -> Iterator[Batch]:
            for part, asked in work.parts():
                made, out = [], {}
                for key in asked["key"]:
                    self.computed.append(f"words:{key}")
                    _, word, note = self.rows[key]
                    if word:
                        made.append({"key": key, "word": word, "note": note})
                    else:
                        out[key] = "empty"
                yield Batch(part, pa.Table.from_pylist(made, schema=WORDS), out, {"songs": 1})

        return RowAsset("toy_words", {"corpus": ("word", "note")}, compute, WORDS, {"word": ("word",), "note": ("note",)},
                    key="key", candidates=candidates,
                    source=lambda shard: digest({k: list(v) for k, v in self.rows.items()}),
                    reasons={"empty": "no word"}, checks=[Check("short", self._short, "Words are short.")])

    def lengths(self) -> RowAsset:
        """A step that reads only the field `word` of the first."""

        def compute(work: Work) -> Iterator[Batch]:
            rows = {r["key"]: r for r in work.upstream("toy_words").table(WORDS, ["key", "word"]).to_pylist()}
            for part, asked in work.parts():
                made = []
                for key in asked["key"]:
                    self.computed.append(f"lengths:{key}")
                    made.append({"key": key, "length": len(rows[key]["word"])})
                yield Batch(part, pa.Table.from_pylist(made, schema=LENGTHS))

        return RowAsset("toy_lengths", {"toy_words": ("word",)}, compute, LENGTHS, {"length": ("length",)}, key="key")

    def graph(self) -> Graph:
        """Both, linked."""
        return Graph([self.words(), self.lengths()])

    def _short(self, shard: Shard) -> Finding:
        longest = max((len(r["word"]) for r in shard.table(WORDS).to_pylist()), default=0)
        return Finding(longest < 20 and self.length_ok, f"longest word has {longest} letters", {"longest": longest})
