"""`rainbow release | diff | verify`: publish a version, compare two, and check one against its manifest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets import settings
from rainbow_assets.cli.failures import stop_if_failed
from rainbow_assets.cli.options import AS_JSON, VersionType
from rainbow_assets.errors import RainbowError
from rainbow_assets.layout import document, layout
from rainbow_assets.terminal import complain, say
from rainbow_assets.text import counted

if TYPE_CHECKING:
    from rainbow_assets.release.hubs import Hub
    from rainbow_assets.release.manifest import FileEntry
    from rainbow_assets.release.versions import Version

PUSHED = click.option("--push", is_flag=True, help="Use RAINBOW_HUB instead of the folder hub under RAINBOW_DATA.")


def reader(hub: Hub, version: Version) -> Callable[[FileEntry], bytes]:
    """Return a function that reads the files of ``version``."""
    return lambda entry: hub.read(version, entry.path)


@click.command()
@click.argument("before", type=VersionType())
@click.argument("after", type=VersionType())
@PUSHED
@AS_JSON
def diff(before: str, after: str, push: bool, as_json: bool) -> None:
    """Compare two published versions.

    Prints the files, columns and rows that differ between versions BEFORE and AFTER, by config and color.
    """
    from rainbow_assets.release.compare import compare
    from rainbow_assets.release.publish import open_hub
    from rainbow_assets.release.versions import Version

    hub, old, new = open_hub(push), Version.parse(before), Version.parse(after)
    found = compare(hub.manifest(old), hub.manifest(new), reader(hub, old), reader(hub, new))
    say(document(found.document(), sort_keys=True) if as_json else found.text())


@click.command()
@click.argument("version", type=VersionType())
@click.option("--rows", is_flag=True, help="Print the raw files that each row came from.")
@PUSHED
@AS_JSON
def verify(version: str, rows: bool, push: bool, as_json: bool) -> None:
    """Check a published version against its manifest.

    It hashes the files, traces the rows, and compares them with the local ledgers. Exit code 1 if a file is damaged.
    """
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.release import facts
    from rainbow_assets.release.audit import verify as audit
    from rainbow_assets.release.publish import open_hub
    from rainbow_assets.release.versions import Version
    from rainbow_assets.storage.store import ShardStore

    hub, wanted = open_hub(push), Version.parse(version)
    manifest = hub.manifest(wanted)
    try:
        local = facts.provenance(GRAPH, ShardStore(settings.roots().data), manifest.provenance.get("options", {}))
    except RainbowError as error:
        say(f"not compared with the local ledgers: {error}", err=True)
        local = None
    found = audit(hub, wanted, local, rows)
    if as_json:
        say(document(found, sort_keys=True))
    else:
        files = sum(len(names) for names in found["songs"].values())
        say(f"{wanted.tag}: {counted(found['files'], 'file')}, {found['bytes'] / 1e6:.1f} MB, "
            f"{len(found['problems'])} "
            f"damaged; {counted(found['rows_traced'], 'row')} traced to {counted(files, 'raw file')} of "
            f"{counted(len(found['songs']), 'song')} (which row from which: --rows)")
        for config, count in found["rows_without_song"].items():
            say(f"  {counted(count, 'row')} of {config} belong to no song, so they have no raw file")
        for config, keys in found.get("rows", {}).items():
            for key, names in keys.items():
                say(f"  {config} {key}: {', '.join(names)}")
        for sentence in [*found["problems"], *found["differs"]]:
            say(f"  {sentence}")
    if found["problems"]:
        sys.exit(1)


def rehearse(
    version: str | None, push: bool, samples: int, include_preview: bool, public: bool, demo_music: bool, as_json: bool
) -> None:
    """Print every gate with its verdicts and what a release would send; exit with 1 if it would be refused."""
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.release.gate_report import gate_report
    from rainbow_assets.release.publish import rehearse as try_out
    from rainbow_assets.release.tables import ReleaseRefused
    from rainbow_assets.storage.store import ShardStore

    store = ShardStore(settings.roots().data)
    gates = gate_report(GRAPH, store)
    manifest, found, refused = None, None, None
    there: list[str] = []

    def begun(sentence: str) -> None:
        there.append(sentence)
        if not as_json:
            say(layout([sentence, *(line for gate in gates for line in gate.lines())]), states=True)

    try:
        manifest, found = try_out(GRAPH, store, version, push, samples, include_preview, begun, public, demo_music)
    except ReleaseRefused as error:
        refused = str(error)
    if as_json:
        made = {"version": str(manifest.version), "files": len(manifest.files), "bytes": manifest.bytes,
                "against_latest": found.document() if found else None} if manifest else {}
        say(document({**made, "hub": there[0], "gates": [gate.document() for gate in gates], "refused": refused},
                     sort_keys=True))
    elif manifest:
        say(f"would publish {manifest.version.tag}: {counted(len(manifest.files), 'file')}, "
            f"{manifest.bytes / 1e6:.1f} MB")
        say(found.text() if found else "the hub is empty, so every file would be sent")
    if refused:
        complain(refused)
        sys.exit(1)


@click.command()
@click.option("--version", type=VersionType(),
              help="Version to publish, for example 0.3.0 (default: the next one for what changed).")
@click.option("--push", is_flag=True, help="Publish to RAINBOW_HUB; without it, to the folder hub under RAINBOW_DATA.")
@click.option("--include-preview/--no-preview", default=True, show_default=True, help="Publish the playable previews.")
@click.option("--preview-samples", default=20, show_default=True, type=click.IntRange(1, 1000), help="Rows per color.")
@click.option("--public", is_flag=True, help="Make a new repository public (default: private).")
@click.option("--demo-music", is_flag=True, help="Let everyone read music of the demo or of stand-ins.")
@click.option("--json", "as_json", is_flag=True, help="Print the published version as JSON.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent and which gates fail; send nothing.")
def release(
    version: str | None, push: bool, include_preview: bool, preview_samples: int, public: bool, demo_music: bool,
    as_json: bool, dry_run: bool,
) -> None:
    """Publish one immutable version of all colors.

    If a gate is closed or a shard is stale, nothing is published.
    """
    from rainbow_assets.release.publish import open_hub
    from rainbow_assets.release.versions import Version

    if version:
        Version.parse(version)  # reject an invalid version before anything is read
    if push:
        open_hub(push).require_rights()  # and a missing token, before Dagster is loaded
    if dry_run:
        rehearse(version, push, preview_samples, include_preview, public, demo_music, as_json)
        return
    from rainbow_assets.definitions import defs
    from rainbow_assets.orchestration import jobs
    from rainbow_assets.release.commands import hear, published

    config: dict[str, Any] = {"push": push, "public": public, "preview_samples": preview_samples,
                              "include_preview": include_preview, "demo_music": demo_music}
    if version:
        config["version"] = version
    stop_if_failed(jobs.run_release(defs, config))
    if as_json:
        say(document(published(settings.roots(), version, open_hub(push)), sort_keys=True))
    else:
        say(hear(settings.roots(), version, open_hub(push)))
