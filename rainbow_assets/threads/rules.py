"""What packing leaves out of a thread, rule by rule, each with its reason. Nothing else is ever left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rainbow_assets.threads.model import Removed

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Files whose path inside the thread (``folder/name``) matches ``pattern`` as a whole are left out."""

    name: str
    pattern: str
    reason: str


RULES: tuple[Rule, ...] = (
    Rule("os_metadata", r"(.*/)?(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini)",
         "the operating system's own file, not the thread's"),
    Rule("debug_state", r"debug/.*", "a snapshot of the program's state while it ran"),
    Rule("debug_document",
         rf"(md|json)/white_agent_({_UUID}_)?(.*_)?(document_synthesis|rebracketing_analysis|META_REBRACKETING|"
         r"facet_evolution|transformation_traces)\.(md|json)",
         "an intermediate note that the White agent wrote to itself; its result is in CHROMATIC_SYNTHESIS"),
    Rule("evp_segment", r"(wav|audio)/.*segment_\d+\.wav",
         "one segment of the audio mosaic; the mosaic itself is kept"),
    Rule("evp_blend", r"(wav|audio)/[^/]*blended[^/]*\.wav",
         "the mosaic mixed with noise, an intermediate of the transcript; the mosaic itself is kept"),
)
_PATTERNS = tuple((rule, re.compile(rule.pattern, re.IGNORECASE)) for rule in RULES)
_ANY = re.compile("|".join(f"(?:{rule.pattern})" for rule in RULES), re.IGNORECASE)


def rule_for(file: str) -> Rule | None:
    """Return the first rule that leaves out the file (path relative to the thread's folder), or None: it is kept."""
    if _ANY.fullmatch(file) is None:
        return None
    return next(rule for rule, pattern in _PATTERNS if pattern.fullmatch(file))


def removed(file: str, size: int) -> Removed | None:
    """Return the record of a file of ``size`` bytes that is left out, or None: it is kept."""
    rule = rule_for(file)
    return Removed(file, rule.name, rule.reason, size) if rule else None


def freed_by_rule(files: tuple[Removed, ...]) -> dict[str, dict[str, int]]:
    """Return {rule: {files, bytes}} for every rule, in the order of ``RULES``."""
    return {rule.name: {"files": sum(item.rule == rule.name for item in files),
                        "bytes": sum(item.size for item in files if item.rule == rule.name)} for rule in RULES}
