"""The raw songs in the asset graph, and the sensor that looks at them.

`corpus` is not made by anything here. The sensor records an observation of each color whose content moved, with the
token that the ledger compares too; the conditions of the row assets then fire for those colors alone.
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
"""The input that the raw songs stand for."""
KEY = dg.AssetKey(CORPUS)
LOOK_S = 60

@dg.observable_source_asset(
    name=CORPUS,
    group_name="corpus",
    partitions_def=colors,
    description="The raw songs: manifests, lyrics, stems and MIDI files, as the artist keeps them. Only ever read.",
    tags={"dagster/kind/wav": "", "dagster/kind/midi": "", "dagster/kind/yaml": ""},
)
def corpus(context: dg.OpExecutionContext, store: ShardStoreResource) -> dg.DataVersionsByPartition:
    """Look at the raw songs once, by hand: `dagster asset materialize --select corpus --partition Green`."""
    try:
        sights = observe(store.open())
    except UsageError as error:
        raise dg.Failure(f"nothing was observed: {error}", allow_retries=False) from None
    for sight in sights:
        if sight.problem is not None:
            context.log.error(f"{sight.color} was not observed: {sight.problem}")
    return dg.DataVersionsByPartition({sight.color: sight.version for sight in sights if sight.problem is None})


@dg.sensor(name="corpus_changes", minimum_interval_seconds=LOOK_S, default_status=dg.DefaultSensorStatus.STOPPED)
def corpus_changes(context: dg.SensorEvaluationContext, store: ShardStoreResource) -> dg.SensorResult:
    """Looks at the raw songs by content digest and records which colors moved; a vanished disk is no deletion."""
    seen = _seen(context.cursor)
    try:
        sights = observe(store.open())
    except UsageError as error:
        return dg.SensorResult(skip_reason=f"nothing was observed: {error}", cursor=context.cursor)
    doubtful = [sight for sight in sights if sight.problem is not None]
    moved = [sight for sight in sights if sight.problem is None and seen.get(sight.color) != sight.version]
    for sight in doubtful:
        context.log.warning(f"{sight.color} was not observed: {sight.problem}")
    for sight in moved:
        context.log.info(f"{sight.color} moved: {_names(sight)}")
    cursor = json.dumps({**seen, **{sight.color: sight.version for sight in moved}}, sort_keys=True)
    events = [observation(sight) for sight in moved]
    return dg.SensorResult(asset_events=events, cursor=cursor, skip_reason=_reason(doubtful, moved))


def observation(sight: Observation) -> dg.AssetObservation:
    """Return what is recorded of one color: its data version, and the files that no build has taken in yet."""
    return dg.AssetObservation(KEY, partition=sight.color, tags={DATA_VERSION_TAG: sight.version}, metadata={
        "songs": sight.songs, "files": sight.files, "files_changed": len(sight.changed),
        "changed": dg.MetadataValue.json(list(sight.changed[:NAMED])),
    })


def observe_first(context: dg.AssetExecutionContext, store: ShardStore) -> None:
    """Record what the raw songs are before they are read, so that the UI knows which version of them rows are from."""
    try:
        sights = [sight for sight in observe(store) if sight.problem is None]
    except UsageError:
        return  # the build stops with the same sentence
    here = context.instance
    for sight in sights:
        known = here.get_latest_data_version_record(KEY, partition_key=sight.color)
        seen = known.asset_observation if known else None
        if seen is None or (seen.tags or {}).get(DATA_VERSION_TAG) != sight.version:
            here.report_runless_asset_event(observation(sight))
    # Dagster looked up the versions of all inputs before this step began.
    context.op_execution_context.get_step_execution_context().fetch_external_input_asset_version_info()


def _seen(cursor: str | None) -> dict[str, str]:
    """What was last observed; a cursor that cannot be read means that every color is observed again."""
    try:
        found = json.loads(cursor) if cursor else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _names(sight: Observation) -> str:
    if not sight.changed:
        return "as the last build took it in (first seen here, put back, or corpus.toml moved)"
    return some(sight.changed, NAMED)


def _reason(doubtful: list[Observation], moved: list[Observation]) -> str | None:
    if doubtful:
        return "not observed: " + "; ".join(f"{sight.problem}" for sight in doubtful)
    if moved:
        return f"observed {', '.join(sight.color for sight in moved)}; what reads them is requested by its conditions"
    return "no raw file moved"
