"""The chromatic scorer: an ONNX session that checks its inputs by a contract. It needs no torch, and loads an encoder
only for sound or text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rainbow_assets import taxonomy
from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.embeddings import encoders, specs
from rainbow_assets.fitness import contract, roll, targets
from rainbow_assets.fitness.contract import ScorerError
from rainbow_assets.music.midi_file import MIDI_BYTES
from rainbow_assets.storage.files import sha256_bytes

Floats = npt.NDArray[np.float32]
BATCH = 64
"""Windows per run: larger batches gain nothing and cost memory (25 MB of rolls here)."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector with the digest of the encoder spec that it was made with."""

    values: Floats
    spec_digest: str


@dataclass(frozen=True, slots=True)
class Score:
    """How well something fits ``color``.

    ``fitness`` is 0..1 on the same scale for every color: 0.5 if the model predicts nothing, 1 at best. It is None with
    a ``reason`` if it cannot be computed. ``relative`` is ``fitness`` minus the fitness of the other inputs without the
    music (0.5 if there are none). ``modes`` are probabilities by kind and class. ``confidence`` is the probability that
    the music has a color with modes.
    """

    color: str
    fitness: float | None
    relative: float | None
    modes: dict[str, dict[str, float]]
    confidence: float | None
    given: tuple[str, ...]
    windows: int
    status: str
    reason: str | None = None


Text = str | Vector | None
Sound = bytes | Path | Vector | None
Music = bytes | Path | None


class ChromaticScorer:
    """Scores how well music, sound and words fit a color. Encoders are loaded when they are first needed."""

    def __init__(self, model: bytes, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            raise ScorerError(f"the scorer is not an ONNX file that can be read ({str(error)[:200]}); materialize "
                              "chromatic_scorer again") from error
        found = self._session.get_modelmeta().custom_metadata_map
        self.contract = contract.read(found.get(contract.KEY))
        self.sha256 = sha256_bytes(model)
        self._encoders: dict[str, Any] = {}

    @property
    def status(self) -> str:
        """``discriminative``, or ``not discriminative`` if its scores must not rank anything."""
        return self.contract.status

    def score(
        self, *, midi: Music = None, audio: Sound = None, concept: Text = None, lyric: Text = None, color: str
    ) -> Score:
        """Return the score of one piece; raise ``ScorerError`` or ``RollError`` if it cannot be scored."""
        if midi is None:
            return self._rows([None], audio, concept, lyric, color)[0]
        return self._rows([_notes(midi)], audio, concept, lyric, color)[0]

    def score_batch(
        self, midis: Sequence[Music], *, audio: Sound = None, concept: Text = None, lyric: Text = None, color: str
    ) -> list[Score]:
        """Return the scores of candidates that share all inputs except their music, in their order.

        A candidate that cannot be read gets a reason instead of a fitness; the others are scored.
        """
        read: list[roll.Notes | None] = []
        broken: dict[int, str] = {}
        for number, midi in enumerate(midis):
            try:
                if midi is None:
                    raise roll.RollError("no_notes", "there is no MIDI file")
                read.append(_notes(midi))
            except roll.RollError as error:
                broken[number] = str(error)
        scored = iter(self._rows(read, audio, concept, lyric, color) if read else [])
        name = taxonomy.resolve(color).name
        return [Score(name, None, None, {}, None, (), 0, self.status, broken[number]) if number in broken
                else next(scored) for number in range(len(midis))]

    def embed(self, kind: str, text: str) -> Vector:
        """Return the vector of a concept or lyric, to embed it once for many calls."""
        return self._embedded(kind, text.encode("utf-8"))

    def probabilities(self, notes: Sequence[roll.Notes | None]) -> targets.Array:
        """Return the probabilities of modes [n, 3, 3] for windows of notes without other inputs."""
        return self._predict(notes, dict.fromkeys(self.contract.encoders))[0]

    def _rows(self, notes: list[roll.Notes | None], audio: Sound, concept: Text, lyric: Text, color: str
              ) -> list[Score]:
        name = taxonomy.resolve(color).name
        vectors = {"audio": self._sound(audio), "concept": self._text("concept", concept),
                   "lyric": self._text("lyric", lyric)}
        given = tuple(kind for kind, vector in vectors.items() if vector is not None)
        if not given and any(item is None for item in notes):
            raise ScorerError("there is nothing to score: give a MIDI file, a sound, a concept or a lyric")
        cut = [[None] if item is None else roll.note_windows(item) for item in notes]
        flat = [window for windows in cut for window in windows]
        modes, sure = self._predict(flat, vectors)
        without = self._predict([None], vectors)[0] if given else np.full((1, 3, 3), 1 / 3)
        found, at = [], 0
        for item, windows in zip(notes, cut, strict=True):
            span = slice(at, at + len(windows))
            at += len(windows)
            found.append(self._score(name, modes[span].mean(axis=0), float(sure[span].mean()), without[0],
                                     (*(("midi",) if item is not None else ()), *given), len(windows)))
        return found

    def _score(self, color: str, modes: targets.Array, sure: float, without: targets.Array, given: tuple[str, ...],
               windows: int) -> Score:
        shown = {kind: {label: float(modes[n, place]) for place, label in enumerate(targets.CLASSES[kind])}
                 for n, kind in enumerate(targets.KINDS)}
        fitness, relative, reason = None, None, None
        try:
            fitness = float(targets.fitness(modes[None], color)[0])
            if "midi" in given:
                relative = fitness - float(targets.fitness(without[None], color)[0])
        except targets.NoTarget as error:
            reason = str(error)
        return Score(color, fitness, relative, shown, sure, given, windows, self.status, reason)

    def _predict(self, windows: Sequence[roll.Notes | None], vectors: Mapping[str, Floats | None]
                 ) -> tuple[targets.Array, targets.Array]:
        """Return (probabilities [n, 3, 3], confidence [n]) of windows that share their vectors."""
        modes, sure = [np.zeros((0, 3, 3))], [np.zeros(0)]
        nothing = (np.zeros(0, np.int32), np.zeros(0, np.uint8))
        for begin in range(0, len(windows), BATCH):
            part = windows[begin:begin + BATCH]
            feed: dict[str, Any] = {"piano_roll": roll.stack([nothing if item is None else roll.cells(roll.filled(item))
                                                              for item in part]),
                                    "has_midi": np.array([item is not None for item in part])}
            for kind, vector in vectors.items():
                known = np.zeros(self.contract.encoders[kind].dims, np.float32) if vector is None else vector
                feed[kind] = np.repeat(known[None], len(part), axis=0)
                feed[f"has_{kind}"] = np.full(len(part), vector is not None)
            found, certain = self._session.run(list(contract.OUTPUTS), feed)
            modes.append(np.asarray(found, np.float64))
            sure.append(np.asarray(certain, np.float64))
        return np.concatenate(modes), np.concatenate(sure)

    def _sound(self, given: Sound) -> Floats | None:
        if given is None or isinstance(given, Vector):
            return self._checked("audio", given)
        if isinstance(given, Path):
            given = encoders.as_flac(given)
        return self._checked("audio", self._embedded("audio", given))

    def _text(self, kind: str, given: Text) -> Floats | None:
        if isinstance(given, str):
            given = self._embedded(kind, given.encode("utf-8")) if given.strip() else None
        return self._checked(kind, given)

    def _embedded(self, kind: str, payload: bytes) -> Vector:
        wanted = self.contract.encoders[kind]
        spec = specs.SPECS.get(wanted.name)
        if spec is None or spec.digest != wanted.digest:
            raise ScorerError(f"the scorer was trained on {kind} vectors of {wanted.name or 'nothing'} "
                              f"({wanted.digest[:12]}), which this program no longer makes; materialize "
                              "chromatic_scorer again")
        if kind not in self._encoders:
            # Concepts and lyrics share their encoder.
            same = next((known for name, known in self._encoders.items()
                         if self.contract.encoders[name].digest == wanted.digest), None)
            self._encoders[kind] = same or encoders.load_encoder(spec)
        encoder = self._encoders[kind]
        return Vector(encoder.forward([encoder.prepare(payload)])[0], spec.digest)

    def _checked(self, kind: str, vector: Vector | None) -> Floats | None:
        if vector is None:
            return None
        wanted = self.contract.encoders[kind]
        if vector.spec_digest != wanted.digest:
            raise ScorerError(f"the {kind} vector was made with the spec {vector.spec_digest[:12]}, but the scorer was "
                              f"trained on {wanted.digest[:12]} ({wanted.name}); embed the input with that spec")
        values = np.asarray(vector.values, np.float32)
        if values.shape != (wanted.dims,):
            raise ScorerError(f"the {kind} vector has the shape {list(values.shape)}, but the scorer needs "
                              f"{[wanted.dims]}; embed the input with {wanted.name}")
        if not np.isfinite(values).all():
            raise ScorerError(f"the {kind} vector has a number that is not finite; embed its input again")
        return values


def _notes(midi: bytes | Path) -> roll.Notes:
    if isinstance(midi, Path):
        try:
            return roll.read_notes(read_file(midi, MIDI_BYTES), str(midi))
        except FileNotFoundError:
            raise roll.RollError("unreadable_midi", f"{midi} does not exist") from None
        except RefusedFile as error:
            raise roll.RollError("unreadable_midi", f"{midi}: {error}") from None
    return roll.read_notes(midi)
