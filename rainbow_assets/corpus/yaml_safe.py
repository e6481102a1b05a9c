"""Safe loading of small YAML documents: no tags that make objects, no alias bombs, no bottomless nesting."""

from __future__ import annotations

from typing import Any

import yaml

from rainbow_assets.errors import RainbowError

LIMIT_BYTES = 4 << 20
LIMIT_NODES = 200_000
LIMIT_DEPTH = 40


class UnreadableYaml(RainbowError):
    """A document that cannot be read safely; the message says why and on which line."""


class _Loader(yaml.CSafeLoader):
    """The safe loader of libyaml with dates left as text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load(data: bytes) -> Any:
    """Return the plain value of the YAML document ``data``; raise ``UnreadableYaml``."""
    if len(data) > LIMIT_BYTES:
        raise UnreadableYaml(f"it has {len(data):,} bytes; a manifest has at most {LIMIT_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableYaml(f"line {line} is not UTF-8; save the file as UTF-8") from None
    try:
        _guard(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a subclass of the safe loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise UnreadableYaml(f"{line}{error.problem or 'not YAML'}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableYaml(f"not YAML ({str(error).splitlines()[0] if str(error) else 'unreadable'})") from None


def _guard(text: str) -> None:
    """Count what the document would expand to, event by event, before anything is built."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableYaml(f"line {line}: aliases are not used in manifests; write the value out")
        nodes += isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > LIMIT_DEPTH or nodes > LIMIT_NODES:
            what = "nested too deeply" if depth > LIMIT_DEPTH else "too large"
            raise UnreadableYaml(f"line {line}: the document is {what}")
