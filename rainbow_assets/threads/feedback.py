"""What a set of threads overuses: keys, tempi, phrases, title words, openers, time signatures, moods.

Everything is reported twice where it can be: for the final proposals and for all of them. Keys come as two series:
``original`` repeats the rule that the published history was measured with (a key is its first letter, so prose counts
as a key), ``normalized`` puts prose apart and merges enharmonics. Only ``normalized`` leads to constraints, and only
from ``min_n`` threads on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rainbow_assets.digests import digest
from rainbow_assets.threads import metrics, wording
from rainbow_assets.threads.keys import first_letter_label
from rainbow_assets.threads.measured import MeasuredThread, ThreadProposal
from rainbow_assets.threads.metrics import BpmCluster, Interval, Share
from rainbow_assets.threads.settings import FeedbackRules

DEFAULT_RULES = FeedbackRules()
PROSE = "(prose)"
"""The bucket of keys that are words. It is reported and never constrained: it names no key to avoid."""


@dataclass(frozen=True, slots=True)
class KeySeries:
    """The keys of one scope under one rule: entropy in bits and the share of every label."""

    entropy: Interval | None
    labels: tuple[Share, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values; entropy rounded to two digits as in the published history, the interval to three."""
        return {"entropy_bits": round(self.entropy.value, 2) if self.entropy else None,
                "entropy_interval": _interval(self.entropy), "distribution": [_share(item) for item in self.labels]}


@dataclass(frozen=True, slots=True)
class Scope:
    """One set of proposals: the final ones, or all. ``n`` proposals of ``threads`` threads."""

    name: str
    n: int
    threads: int
    original: KeySeries
    normalized: KeySeries
    bpm: dict[str, float]
    bpm_std: Interval | None
    bpm_clusters: tuple[BpmCluster, ...]
    original_bpm_clusters: tuple[BpmCluster, ...]
    time_signatures: tuple[Share, ...]
    moods: tuple[Share, ...]
    phrases: tuple[Share, ...]
    found_phrases: tuple[Share, ...]
    title_words: tuple[Share, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON."""
        return {
            "n": self.n, "threads": self.threads,
            "keys": {"original": self.original.as_dict(), "normalized": self.normalized.as_dict()},
            "bpm": {name: round(value, 2) for name, value in self.bpm.items()}
            | {"std_interval": _interval(self.bpm_std), "clusters": list(map(asdict, self.bpm_clusters)),
               "original_clusters": list(map(asdict, self.original_bpm_clusters))},
            **{name: [_share(item) for item in getattr(self, name)]
               for name in ("time_signatures", "moods", "phrases", "found_phrases", "title_words")},
        }


@dataclass(frozen=True, slots=True)
class Feedback:
    """The whole measurement. ``enough``: there are ``min_n`` threads, so that severities may be given."""

    n: int
    rules: FeedbackRules
    final: Scope
    iterations: Scope | None
    openers: tuple[Share, ...]
    answers: int
    excerpt_hides: dict[str, dict[str, int]]
    """{watched phrase: {full, excerpt}}: threads whose whole concept, or its first 200 characters, contain it."""
    titles: tuple[str, ...]
    thread_ids: tuple[str, ...]
    threads_digest: str
    newest: str | None
    warnings: tuple[str, ...] = field(default=())

    @property
    def enough(self) -> bool:
        """Whether there are enough threads for severities."""
        return self.n >= self.rules.min_n

    def as_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON."""
        return {
            "threads": self.n, "min_n": self.rules.min_n, "enough": self.enough,
            "threads_digest": self.threads_digest, "newest": self.newest, "warnings": list(self.warnings),
            "final": self.final.as_dict(), "iterations": self.iterations.as_dict() if self.iterations else None,
            "dialogue": {"answers": self.answers, "openers": [_share(item) for item in self.openers]},
            "excerpt_hides": self.excerpt_hides, "rules": asdict(self.rules),
        }


def measure(threads: Sequence[MeasuredThread], rules: FeedbackRules = DEFAULT_RULES) -> Feedback:
    """Measure ``threads``. Pure; equal threads give an equal result whatever their order."""
    ordered = sorted(threads, key=lambda item: item.thread_id)
    final = _scope("final", [[item.final] for item in ordered], rules)
    every = [list(item.iterations) for item in ordered]
    iterations = _scope("iterations", every, rules) if any(every) else None
    openings = [[wording.opener(line) for line in item.dialogue] for item in ordered]
    answers = [len(item) for item in openings]
    concepts = [item.final.concept for item in ordered]
    hides = {phrase: {"full": sum(bool(wording.phrases_in(text, (phrase,))) for text in concepts),
                      "excerpt": sum(bool(wording.phrases_in(text[:wording.EXCERPT], (phrase,))) for text in concepts)}
             for phrase in wording.WATCHED}
    times = [item.timestamp for item in ordered if item.timestamp]
    return Feedback(
        len(ordered), rules, final, iterations, tuple(metrics.shares(openings, answers, rules.seed, 0.1)),
        sum(answers), hides, tuple(sorted({item.final.title for item in ordered})),
        tuple(item.thread_id for item in ordered), _threads_digest(ordered), max(times) if times else None,
        tuple(_warnings(final, len(ordered), rules)))


def _threads_digest(threads: Sequence[MeasuredThread]) -> str:
    return digest([[item.thread_id, item.final.title, item.final.bpm, item.final.key.raw, item.final.concept,
                    list(item.final.mood), item.iteration_count] for item in threads])


def _scope(name: str, threads: Sequence[Sequence[ThreadProposal]], rules: FeedbackRules) -> Scope:
    units = [len(thread) for thread in threads]
    bpm = [[item.bpm for item in thread if item.bpm is not None] for thread in threads]
    flat = [value for thread in bpm for value in thread]
    concepts = [item.concept for thread in threads for item in thread]
    found = [phrase for phrase in wording.common_phrases(concepts, rules.found_phrase_avoid)
             if not wording.phrases_in(phrase, wording.WATCHED)
             and not any(wording.phrases_in(watched, (phrase,)) for watched in wording.WATCHED)]

    def counted(read: Callable[[ThreadProposal], Sequence[str]], least: float) -> tuple[Share, ...]:
        hits = [[label for item in thread for label in read(item)] for thread in threads]
        return tuple(metrics.shares(hits, units, rules.seed, least))

    def series(read: Callable[[ThreadProposal], str]) -> KeySeries:
        labels = [[read(item) for item in thread] for thread in threads]
        return KeySeries(metrics.entropy_interval(labels, rules.seed), counted(lambda item: [read(item)], 0.0))

    return Scope(
        name, sum(units), sum(1 for count in units if count),
        series(lambda item: first_letter_label(item.raw_key)),
        series(lambda item: item.key.label or PROSE), metrics.spread(flat), metrics.std_interval(bpm, rules.seed),
        tuple(metrics.bpm_clusters(flat, rules.bpm_reach, rules.bpm_avoid)) if flat else (),
        tuple(metrics.original_bpm_clusters(flat, rules.bpm_reach, rules.bpm_avoid)) if flat else (),
        counted(lambda item: [item.time_signature or "(none)"], 0.0),
        counted(lambda item: sorted({mood.strip().lower() for mood in item.mood}), 0.1),
        counted(lambda item: wording.phrases_in(item.concept, wording.WATCHED), 0.0),
        counted(lambda item: wording.phrases_in(item.concept, found), 0.0),
        counted(lambda item: wording.title_words(item.title), rules.title_word_avoid))


def _warnings(final: Scope, n: int, rules: FeedbackRules) -> list[str]:
    if n < rules.min_n:
        return [f"{n} threads are too few to judge: severities are given from {rules.min_n} on"]
    found = []
    entropy, std = final.normalized.entropy, final.bpm_std
    if entropy and entropy.value < rules.warn_entropy_bits:
        found.append(f"the keys vary little: {entropy.value:.2f} bits (95 % interval {entropy.low:.2f} to "
                    f"{entropy.high:.2f}), less than {rules.warn_entropy_bits:g}")
    if std and std.value < rules.warn_bpm_std:
        found.append(f"the tempi vary little: standard deviation {std.value:.2f} BPM (95 % interval {std.low:.2f} to "
                    f"{std.high:.2f}), less than {rules.warn_bpm_std:g}")
    return found


def _interval(item: Interval | None) -> list[float] | None:
    return [round(item.low, 3), round(item.high, 3)] if item else None


def _share(item: Share) -> dict[str, Any]:
    return {"name": item.name, "count": item.count, "share": round(item.share.value, 3),
            "low": round(item.share.low, 3), "high": round(item.share.high, 3)}
