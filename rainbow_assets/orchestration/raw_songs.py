"""The raw songs in the asset graph, and the sensor that observes them.

No asset makes `corpus`. The sensor records an observation of each color whose content changed, with the same token
that the ledger compares; then the conditions of the row assets become true for those colors only.
"""

import json

import dagster as dg

from rainbow_assets.corpus.watch import NAMED, Observation, observe
from rainbow_assets.errors import UsageError
from rainbow_assets.orchestration.colors import colors
from rainbow_assets.orchestration.events import DATA_VERSION_TAG
from rainbow_assets.orchestration.resources import ShardStoreResource
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.text import some

CORPUS = "corpus"
"""The name of the raw songs as an input."""
KEY = dg.AssetKey(CORPUS)
LOOK_S = 60

@dg.observable_source_asset(
    name=CORPUS,
    group_name="corpus",
    partitions_def=colors,
    description="The raw songs: manifests, lyrics, stems and MIDI files of the artist. The graph only reads them.",
    tags={"dagster/kind/wav": "", "dagster/kind/midi": "", "dagster/kind/yaml": ""},
)
def corpus(context: dg.OpExecutionContext, store: ShardStoreResource) -> dg.DataVersionsByPartition:
    """Observe the raw songs once, by hand: `dagster asset materialize --select corpus --partition Green`."""
    try:
        observations = observe(store.open())
    except UsageError as error:
        raise dg.Failure(f"nothing was observed: {error}", allow_retries=False) from None
    for seen in observations:
        if seen.problem is not None:
            context.log.error(f"{seen.color} was not observed: {seen.problem}")
    return dg.DataVersionsByPartition({seen.color: seen.version for seen in observations if seen.problem is None})


@dg.sensor(name="corpus_changes", minimum_interval_seconds=LOOK_S, default_status=dg.DefaultSensorStatus.STOPPED)
def corpus_changes(context: dg.SensorEvaluationContext, store: ShardStoreResource) -> dg.SensorResult:
    """Compares the raw songs by content and records which colors changed; a missing disk does not count as deletion."""
    before = _seen(context.cursor)
    try:
        observations = observe(store.open())
    except UsageError as error:
        return dg.SensorResult(skip_reason=f"nothing was observed: {error}", cursor=context.cursor)
    doubtful = [seen for seen in observations if seen.problem is not None]
    moved = [seen for seen in observations if seen.problem is None and before.get(seen.color) != seen.version]
    for seen in doubtful:
        context.log.warning(f"{seen.color} was not observed: {seen.problem}")
    for seen in moved:
        context.log.info(f"{seen.color} changed: {_names(seen)}")
    cursor = json.dumps({**before, **{seen.color: seen.version for seen in moved}}, sort_keys=True)
    events = [observation(seen) for seen in moved]
    return dg.SensorResult(asset_events=events, cursor=cursor, skip_reason=_reason(doubtful, moved))


def observation(seen: Observation) -> dg.AssetObservation:
    """Return the event for one color: its data version, and the files that no build has read yet."""
    return dg.AssetObservation(KEY, partition=seen.color, tags={DATA_VERSION_TAG: seen.version}, metadata={
        "songs": seen.songs, "files": seen.files, "files_changed": len(seen.changed),
        "changed": dg.MetadataValue.json(list(seen.changed[:NAMED])),
    })


def observe_first(context: dg.AssetExecutionContext, store: ShardStore) -> None:
    """Record the state of the raw songs before they are read, so that the UI shows which version the rows are from."""
    try:
        observations = [seen for seen in observe(store) if seen.problem is None]
    except UsageError:
        return  # the build stops with the same message
    here = context.instance
    for seen in observations:
        known = here.get_latest_data_version_record(KEY, partition_key=seen.color)
        last = known.asset_observation if known else None
        if last is None or (last.tags or {}).get(DATA_VERSION_TAG) != seen.version:
            here.report_runless_asset_event(observation(seen))
    # Look up the versions of the inputs again: Dagster did so before this step started.
    context.op_execution_context.get_step_execution_context().fetch_external_input_asset_version_info()


def _seen(cursor: str | None) -> dict[str, str]:
    """Return {color: version last observed}, or an empty mapping if the cursor cannot be read."""
    try:
        found = json.loads(cursor) if cursor else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _names(seen: Observation) -> str:
    if not seen.changed:
        return "no file differs from the last build (first observation, files put back, or corpus.toml changed)"
    return some(seen.changed, NAMED)


def _reason(doubtful: list[Observation], moved: list[Observation]) -> str | None:
    if doubtful:
        return "not observed: " + "; ".join(f"{seen.problem}" for seen in doubtful)
    if moved:
        return f"observed {', '.join(seen.color for seen in moved)}; automation requests the assets that read them"
    return "no raw file changed"
