"""The whole graph on one page: every row asset, upstream first. Each asset is declared in the file named after it.

``corpus`` and ``taxonomy`` (upstream) and ``published_dataset`` (downstream) make no rows; see ``orchestration``.
"""

from __future__ import annotations

from rainbow_assets.composition.candidates import (
    BASS_CANDIDATES,
    CHORD_CANDIDATES,
    DRUM_CANDIDATES,
    MELODY_CANDIDATES,
)
from rainbow_assets.composition.final_candidates import FINAL_CANDIDATES
from rainbow_assets.composition.human_evaluation import HUMAN_EVALUATION
from rainbow_assets.corpus.base_manifest import BASE_MANIFEST
from rainbow_assets.corpus.song_splits import SONG_SPLITS
from rainbow_assets.embeddings.embeddings import AUDIO_EMBEDDINGS, CONCEPT_EMBEDDINGS, LYRIC_EMBEDDINGS
from rainbow_assets.fitness.chromatic_scorer import CHROMATIC_SCORER
from rainbow_assets.fitness.fusion_evaluation import FUSION_EVALUATION
from rainbow_assets.fitness.fusion_model import FUSION_MODEL
from rainbow_assets.fitness.fusion_training_set import FUSION_TRAINING_SET
from rainbow_assets.fitness.piano_rolls import PIANO_ROLLS
from rainbow_assets.harmony.libraries import CHORD_LIBRARY, PROGRESSION_LIBRARY
from rainbow_assets.harmony.transition_graphs import CHORD_GRAPH, FUNCTION_GRAPH
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.release.audio import AUDIO
from rainbow_assets.release.previews import PREVIEW, PREVIEW_MIX
from rainbow_assets.segments.segment_media import SEGMENT_MEDIA
from rainbow_assets.segments.segments import SEGMENTS
from rainbow_assets.segments.training_full import TRAINING_FULL
from rainbow_assets.segments.training_segments import TRAINING_SEGMENTS
from rainbow_assets.threads.negative_constraints import NEGATIVE_CONSTRAINTS
from rainbow_assets.threads.result_feedback import RESULT_FEEDBACK
from rainbow_assets.threads.thread_index import THREAD_INDEX
from rainbow_assets.threads.thread_manifests import THREAD_MANIFESTS

ASSETS = (
    BASE_MANIFEST, SONG_SPLITS,
    SEGMENTS, SEGMENT_MEDIA, TRAINING_SEGMENTS, TRAINING_FULL,
    CONCEPT_EMBEDDINGS, LYRIC_EMBEDDINGS, AUDIO_EMBEDDINGS,
    CHORD_LIBRARY, PROGRESSION_LIBRARY, FUNCTION_GRAPH, CHORD_GRAPH,
    PIANO_ROLLS, FUSION_TRAINING_SET, FUSION_MODEL, FUSION_EVALUATION, CHROMATIC_SCORER,
    THREAD_MANIFESTS, THREAD_INDEX, RESULT_FEEDBACK, NEGATIVE_CONSTRAINTS,
    CHORD_CANDIDATES, DRUM_CANDIDATES, BASS_CANDIDATES, MELODY_CANDIDATES, FINAL_CANDIDATES, HUMAN_EVALUATION,
    AUDIO, PREVIEW, PREVIEW_MIX,
)
GRAPH = Graph(ASSETS)
