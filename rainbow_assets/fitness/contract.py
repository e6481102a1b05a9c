"""The contract in a scorer's ONNX file: how its inputs must be made, and whether its scores can be trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rainbow_assets.embeddings import specs
from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness import roll, targets

FORMAT, KEY = "rainbow-chromatic-scorer/1", "rainbow_contract"
DISCRIMINATIVE, NOT_DISCRIMINATIVE = "discriminative", "not discriminative"
INPUTS = ("piano_roll", "audio", "concept", "lyric", "has_audio", "has_midi", "has_concept", "has_lyric")
OUTPUTS = ("modes", "confidence")


class ScorerError(RainbowError):
    """A scorer cannot be used, or its input is not of the kind that it was trained on."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one kind of vector is made: the spec's name and digest, and its length."""

    name: str
    digest: str
    dims: int


@dataclass(frozen=True, slots=True)
class Contract:
    """Requirements for the inputs of a scorer, and its ``status`` with the ``reasons`` if a gate failed."""

    profile: str
    encoders: Mapping[str, Encoding]
    weights_sha256: str
    status: str = NOT_DISCRIMINATIVE
    reasons: Sequence[str] = ("the gates were not asked",)
    gates: Mapping[str, float | None] | None = None
    roll_step_ms: int = roll.STEP_MS
    roll_shape: Sequence[int] = roll.SHAPE
    roll_channels: Sequence[str] = roll.CHANNELS
    normalization: str = "velocity / 127; music looped to fill the roll; vectors as their encoder makes them"
    classes: Mapping[str, Sequence[str]] | None = None
    format: str = FORMAT

    def to_json(self) -> str:
        """Return the contract as JSON, sorted."""
        return json.dumps(asdict(self), sort_keys=True)


def encodings(digests: Mapping[str, str], dims: Mapping[str, int]) -> dict[str, Encoding]:
    """Return how each kind of vector of a training set was made; a missing kind has an empty digest."""
    known = {spec.digest: spec.name for spec in specs.SPECS.values()}
    return {name: Encoding(known.get(digest, ""), digest, dims[name]) for name, digest in digests.items()}


def read(text: str | None) -> Contract:
    """Return the contract in ``text``; raise ``ScorerError`` if its format, rolls or classes are not the current ones.

    An ONNX file from elsewhere has no contract: ``text`` is None, which raises too.
    """
    if not text:
        raise ScorerError("the ONNX file carries no preprocessing contract; it was not made by chromatic_scorer")
    try:
        values: dict[str, Any] = json.loads(text)
        if values.get("format") != FORMAT:
            raise ScorerError(f"the scorer has the format {values.get('format')!r}, but this program reads {FORMAT}; "
                              "materialize chromatic_scorer again")
        encoders = {name: Encoding(**item) for name, item in values.pop("encoders").items()}
        found = Contract(encoders=encoders, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ScorerError(f"the scorer's contract cannot be read ({error}); materialize chromatic_scorer again"
                          ) from error
    if (found.roll_step_ms, tuple(found.roll_shape), tuple(found.roll_channels)) != (
            roll.STEP_MS, roll.SHAPE, roll.CHANNELS):
        raise ScorerError(f"the scorer was trained on rolls of {found.roll_step_ms} ms and shape "
                          f"{list(found.roll_shape)}; this program makes {roll.STEP_MS} ms and {list(roll.SHAPE)}; "
                          "materialize chromatic_scorer again")
    if found.classes is not None and {key: tuple(value) for key, value in found.classes.items()} != targets.CLASSES:
        raise ScorerError("the classes of the scorer are not those of the Rainbow Table; materialize chromatic_scorer "
                          "again")
    return found
