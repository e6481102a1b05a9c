"""Publishing a version: check the gates, write files, card, listening page and manifest, then move it in atomically."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.markdown import Markdown
from rainbow_assets.release import card, consistency, croissant, facts, listen
from rainbow_assets.release.bundle import Bundle, write_bundle
from rainbow_assets.release.changelog import ChangelogEntry, next_entry, renamed
from rainbow_assets.release.compare import Difference, compare
from rainbow_assets.release.credit import notices
from rainbow_assets.release.directory_hub import DirectoryHub
from rainbow_assets.release.hubs import Hub, HubError, PublishResult
from rainbow_assets.release.manifest import Manifest, make_manifest, write_manifest
from rainbow_assets.release.swatches import write_swatches
from rainbow_assets.release.tables import ReleaseRefused, release_tables, require_all
from rainbow_assets.release.vectors import remember
from rainbow_assets.release.versions import NextVersion, Version, propose, require_high_enough
from rainbow_assets.release.viewer import viewer_problems
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.terminal import say
from rainbow_assets.text import some


@dataclass(frozen=True)
class Published:
    """The result: what the hub did, the manifest, the card's text, and the reasons for the version number."""

    result: PublishResult
    manifest: Manifest
    card: Markdown
    reasons: tuple[str, ...]


def open_hub(push: bool) -> Hub:
    """Return the hub to publish to: ``RAINBOW_HUB`` with ``push``, else the folder hub below ``RAINBOW_DATA``."""
    roots = settings.roots()
    if not push:
        return DirectoryHub(f"{roots.data.rstrip('/')}/hub")
    if roots.hub.startswith("hf://"):
        # Imported only where it is used: the client takes half a second to load.
        from rainbow_assets.release.hf_hub import HuggingFaceHub
        return HuggingFaceHub(roots.hub)
    return DirectoryHub(roots.hub)


def publish(
    graph: Graph, store: ShardStore, version: str | None = None, push: bool = False, public: bool = False,
    samples: int = 20, include_preview: bool = True, demo_music: bool = False,
    say: Callable[[str], object] = say,
) -> Published:
    """Publish ``version`` (None: the latest if the bytes are equal, else the next one).

    A version has one state: each shard is read as it was when it was first opened, even if another process builds.
    Raises ``ReleaseRefused`` if a gate failed, or if everyone could read music that no artist made and ``demo_music``
    does not allow it; ``VersionConflict`` if the version exists with other bytes.
    """
    wanted = Version.parse(version) if version else None
    built = settings.default_rules().preview.samples
    if include_preview and samples > built:
        raise UsageError(f"the preview has {built} rows per color; set preview.samples = {samples} in rainbow.toml, "
                         "materialize preview and preview_mix, and try again")
    hub = open_hub(push)
    say(hub.establish())
    store = store.pinned()
    require_all(graph, store)
    _require_artists(hub, store, public, demo_music)
    made_from = facts.provenance(graph, store, {"preview_samples": samples, "include_preview": include_preview})
    latest = max(hub.versions(), default=None)
    if latest is not None and wanted in (None, latest) and hub.manifest(latest).provenance == made_from:
        # Equal provenance means equal bytes, so the files need not be written to know it.
        return _unchanged(hub, latest)
    with hub.staging() as folder:
        manifest, text, reasons = _prepare(hub, graph, store, folder, wanted, samples, include_preview, say)
        result = hub.publish(folder, manifest, public)
        remember(store)
        say(f"{result.outcome} {manifest.version.tag} at {result.location}")
        return Published(result, manifest, text, reasons)


def rehearse(
    graph: Graph, store: ShardStore, version: str | None = None, push: bool = False, samples: int = 20,
    include_preview: bool = True, say: Callable[[str], object] = say, public: bool = False, demo_music: bool = False,
) -> tuple[Manifest, Difference | None]:
    """Make the version that :func:`publish` would publish, and discard it; raise if a gate failed.

    Returns its manifest and its changes since the latest version (None in an empty hub). ``say`` is called with a
    sentence on what the hub has.
    """
    hub = open_hub(push)
    say(hub.establish(write=False))
    store = store.pinned()
    require_all(graph, store)
    _require_artists(hub, store, public, demo_music)
    latest = max(hub.versions(), default=None)
    with hub.staging() as folder:
        wanted = Version.parse(version) if version else None
        manifest, _, _ = _prepare(hub, graph, store, folder, wanted, samples, include_preview, lambda line: None)
        if latest is None:
            return manifest, None
        return manifest, compare(hub.manifest(latest), manifest, lambda entry: hub.read(latest, entry.path),
                                 lambda entry: (folder / entry.path).read_bytes())


def _require_artists(hub: Hub, store: ShardStore, public: bool, demo_music: bool) -> None:
    """Raise ``ReleaseRefused`` if everyone could take a program's music for the artist's."""
    if hub.open_to_all(public) and not demo_music and (found := notices(facts.music(store))):
        raise ReleaseRefused(f"nothing was published: everyone can read {hub.where}, and it would get a demo. "
                             f"{' '.join(found)} If that is meant, add --demo-music; if an artist made it, remove "
                             "music from corpus.toml")


def _prepare(
    hub: Hub, graph: Graph, store: ShardStore, folder: Path, wanted: Version | None, samples: int,
    include_preview: bool, say: Callable[[str], object],
) -> tuple[Manifest, Markdown, tuple[str, ...]]:
    """Write the whole release into ``folder``; return its manifest, its card, and the reasons for its version."""
    made_from = facts.provenance(graph, store, {"preview_samples": samples, "include_preview": include_preview})
    bundle = write_bundle(release_tables(graph, store, samples, include_preview), folder,
                          lambda file: say(f"wrote {file.path}: {file.rows} rows, {file.bytes / 1e6:.1f} MB"))
    _require_viewable(bundle, folder)
    require_one_state(bundle, folder)
    versions = hub.versions()
    if not versions:
        proposal = propose(None, {}, {})
        return _finish(graph, store, folder, wanted or proposal.version, bundle, made_from, proposal, None,
                       hub.repository)
    latest = max(versions)
    if wanted is None or wanted in versions:
        # An existing version is rendered with its own changelog: otherwise its bytes could never be equal.
        known = wanted or latest
        before = hub.manifest(known)
        manifest, text = _pages(graph, store, folder, known, bundle, made_from, before.changes, hub.repository)
        if wanted is not None or manifest.to_json() == before.to_json():
            write_manifest(folder, manifest)
            return manifest, text, ("the bytes are those of the latest version",)
    before = hub.manifest(latest)
    proposal = propose(latest, before.shapes(), make_manifest(folder, latest, bundle, made_from).shapes())
    if wanted is not None:
        require_high_enough(wanted, latest, proposal)
    return _finish(graph, store, folder, wanted or proposal.version, bundle, made_from, proposal, before,
                   hub.repository)


def _finish(
    graph: Graph, store: ShardStore, folder: Path, version: Version, bundle: Bundle, made_from: dict[str, object],
    proposal: NextVersion, before: Manifest | None, repository: str,
) -> tuple[Manifest, Markdown, tuple[str, ...]]:
    """Write the pages and the manifest of a new version, with an entry for it in the changelog."""
    made = make_manifest(folder, version, bundle, made_from)
    if before is not None:
        songs = renamed(before.provenance.get("raw_files", {}), made.provenance["raw_files"])
        proposal = replace(proposal, reasons=(*songs, *proposal.reasons))
    after = made.shapes()
    entry = next_entry(version, proposal, before.shapes() if before else {}, after)
    changes = (entry, *(before.changes if before else ()))
    manifest, text = _pages(graph, store, folder, version, bundle, made_from, changes, repository)
    write_manifest(folder, manifest)
    return manifest, text, proposal.reasons


def _unchanged(hub: Hub, latest: Version) -> Published:
    """Return the latest version as the result; nothing is written."""
    where = hub.path_of(latest)
    text = Markdown(hub.read(latest, card.NAME).decode("utf-8"))
    result = PublishResult(latest, where, "unchanged", 0, 0)
    return Published(result, hub.manifest(latest), text, ("everything is as in the latest version",))


def _require_viewable(bundle: Bundle, folder: Path) -> None:
    problems = [f"{file.path}: {problem}" for config in bundle.configs for file in config.files
                for problem in viewer_problems(folder / file.path, config.table.config.startswith("preview"))]
    if problems:
        raise HubError(f"nothing was published: the dataset viewer could not show {'; '.join(problems[:5])}")


def require_one_state(bundle: Bundle, folder: Path) -> None:
    """Compare the written tables of ``bundle`` with each other; raise ``ReleaseRefused`` if they contradict."""
    tables = consistency.Tables()
    for file in bundle.files:
        tables.add(file.config, file.path, folder / file.path, file.split)
    if problems := list(tables.problems()):
        raise ReleaseRefused(f"nothing was published: {some(problems, between='; ')}")


def _pages(
    graph: Graph, store: ShardStore, folder: Path, version: Version, bundle: Bundle, made_from: dict[str, object],
    changes: tuple[ChangelogEntry, ...], repository: str,
) -> tuple[Manifest, Markdown]:
    """Write the card and the listening page of ``version`` and return the manifest and the card."""
    songs = facts.music(store)
    # Mixes give a better impression of a color than single stems.
    playable = {config.table.config: config for config in bundle.configs if config.table.media}
    chosen = playable.get("preview_mix") or playable.get("preview")
    clips = listen.make_clips(folder, chosen) if chosen else {}
    text = card.render_card(facts.card_facts(graph, store, version, bundle, folder, clips, changes, repository))
    (folder / card.NAME).write_text(text, "utf-8", newline="\n")
    (folder / croissant.NAME).write_bytes(croissant.render_croissant(bundle, version, repository, songs))
    write_swatches(folder)
    if chosen is not None:
        shows = "slices of the mix" if chosen.table.config == "preview_mix" else "stems"
        listen.write_clips(folder, clips)
        (folder / listen.NAME).write_text(listen.render_listen(clips, version, shows, songs), "utf-8", newline="\n")
    return make_manifest(folder, version, bundle, made_from, changes), text


__all__ = ["Published", "RainbowError", "open_hub", "publish", "rehearse"]
