"""The results of a Dagster run: why steps failed, and what happened to each shard."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainbow_assets.errors import TOO_LITTLE_MEMORY, RainbowError, of_the_disk

if TYPE_CHECKING:
    from dagster import AssetMaterialization, ExecuteInProcessResult

INTERRUPTED = "DagsterExecutionInterruptedError"
PACKAGE = str(Path(__file__).parents[1])
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_OS_ERROR = re.compile(r"\[Errno (?P<number>\d+)\] [^:]*(?:: '(?P<file>[^']*)')?")


@dataclass(frozen=True)
class Failure:
    """A step that failed, and a sentence about the cause. ``bug``: the program caused it, not the data."""

    step: str
    sentence: str
    bug: bool


def failures(result: ExecuteInProcessResult) -> list[Failure]:
    """Return the steps that failed themselves, with the causes; raise ``KeyboardInterrupt`` if it was ctrl-C."""
    found = []
    for event in result.filter_events(lambda event: event.is_step_failure):
        failed = event.step_failure_data
        chain = _chain(failed.error)
        if any(error.cls_name == INTERRUPTED for error in chain):
            raise KeyboardInterrupt
        described = failed.user_failure_data.description if failed.user_failure_data else None
        sentence, bug = (described.strip(), False) if described else cause(chain)
        found.append(Failure(event.step_key or "the run", sentence, bug))
    for event in () if found else result.filter_events(lambda event: event.is_job_failure):
        chain = _chain(event.job_failure_data.error)
        if any(error.cls_name == INTERRUPTED for error in chain):
            raise KeyboardInterrupt
        found.append(Failure("the run", *cause(chain)))
    return found


def _chain(error: Any) -> list[Any]:
    """Return an error and its causes: Dagster's own error first, the root cause last."""
    found = []
    while error is not None:
        found.append(error)
        error = error.cause
    return found


def cause(chain: list[Any]) -> tuple[str, bool]:
    """Return why a step failed, and True if that is a bug of the program.

    ``chain`` has the serialized error and its causes. Dagster wraps what a step raises ("Error occurred while
    executing op"). So the last ``RainbowError`` of the chain has the message, or if there is none, the last error.
    """
    if not chain:
        return "the step failed without an error", True
    known = _names(RainbowError)
    for error in reversed(chain):
        if error.cls_name in known:
            return _message(error), False
    last = chain[-1]
    place = _OS_ERROR.search(last.message)
    if place and last.cls_name in _names(OSError):
        return of_the_disk(int(place["number"]), place["file"]), False
    if last.cls_name in _names(MemoryError):
        return TOO_LITTLE_MEMORY, False
    return f"{last.cls_name}: {_message(last)}{_where(last)}", True


def _names(base: type) -> set[str]:
    """Return the names of an exception class and its subclasses; the class of every error raised here is loaded."""
    return {base.__name__}.union(*(_names(one) for one in base.__subclasses__()))


def _message(error: Any) -> str:
    """Return an error's message without the name of its class."""
    text = str(error.message).strip()
    head, colon, rest = text.partition(": ")
    return rest.strip() if colon and head.rpartition(".")[2] == error.cls_name else text


def _where(error: Any) -> str:
    """Return the last line of this package in the error's stack, as text."""
    places = [found for line in error.stack if (found := _FRAME.search(line)) and found["file"].startswith(PACKAGE)]
    return f" (rainbow_assets{places[-1]['file'].removeprefix(PACKAGE)}, line {places[-1]['line']})" if places else ""


@dataclass(frozen=True)
class ShardResult:
    """The result of a run for one shard: ``fresh``, or ``blocked`` with the reason."""

    asset: str
    partition: str
    state: str
    rows: int
    computed: int
    removed: int
    seconds: float
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def made(materializations: list[AssetMaterialization], whole: str) -> list[ShardResult]:
    """Return the results of a run by shard; ``whole`` is the partition of assets without colors.

    A range of colors is recorded twice: by Dagster, with the numbers of the range, and then by color. The events by
    color come last and count.
    """
    found: dict[tuple[str, str], ShardResult] = {}
    for item in materializations:
        asset, partition = item.asset_key.to_user_string(), item.partition or whole
        values: dict[str, Any] = {name: value.value for name, value in item.metadata.items()}
        if "left_as_it_was" in values:
            found[asset, partition] = ShardResult(asset, partition, "blocked", 0, 0, 0, 0.0,
                                                  str(values["left_as_it_was"]))
        elif "dagster/partition_row_count" in values:
            rows, computed, removed = (int(str(values[name])) for name in
                                       ("dagster/partition_row_count", "rows_computed", "rows_removed"))
            failed = [name for name, passed in dict(values.get("checks") or {}).items() if not passed]
            problem = f"failed: {', '.join(failed)}" if failed else None
            found[asset, partition] = ShardResult(
                asset, partition, "blocked" if failed else "fresh", rows, computed, removed,
                float(str(values["seconds"])), problem)
    return list(found.values())
