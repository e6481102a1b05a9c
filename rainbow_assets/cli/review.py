"""`rainbow review`: listen to the finished pieces and judge them in the browser; read the verdicts."""

from __future__ import annotations

import sys
import webbrowser
from typing import TYPE_CHECKING

import click

from rainbow_assets import scratch, settings
from rainbow_assets.cli.options import AS_JSON
from rainbow_assets.errors import UsageError
from rainbow_assets.layout import document, layout
from rainbow_assets.terminal import say
from rainbow_assets.text import counted

if TYPE_CHECKING:
    from rainbow_assets.storage.store import ShardStore


@click.command()
@click.option("--ingest", is_flag=True, help="Read the verdicts, promote approved pieces, measure the agreement.")
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535), help="Port on 127.0.0.1.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@AS_JSON
def review(ingest: bool, port: int, browser: bool, as_json: bool) -> None:
    """Listen to the finished pieces and judge them in the browser.

    The page runs on this machine and writes review.yml beside each song. You may edit these files by hand too.

    With --ingest the verdicts become rows of human_evaluation and approved pieces are copied to approved/<label>.mid;
    with --json as well, the measurements are printed as JSON.
    """
    from rainbow_assets.storage.store import ShardStore

    store = ShardStore(settings.roots().data)
    if ingest:
        _ingest(store, as_json)
        return
    from rainbow_assets.composition.server import Running

    if store.shard("final_candidates").index() is None:
        raise UsageError("no piece has been composed yet; run: rainbow compose PROPOSAL.yml")
    if as_json:
        say(document(_pending(store)))
        return
    server = Running(store, port)
    say(f"review: {server.link} (the link works once; stop the server with ctrl-C)")
    sys.stdout.flush()
    with scratch.folder() as place:
        if browser:
            # Every user of the machine can read a browser's arguments, so the link goes by a private file.
            page = place / "review.html"
            page.write_text(f'<meta http-equiv="refresh" content="0; url={server.link}">', "utf-8", newline="\n")
            webbrowser.open(page.as_uri())
        server.run()


def _pending(store: ShardStore) -> list[dict[str, object]]:
    """Return the finished pieces that can be judged, without their sound."""
    shown = ["final_id", "candidate_id", "song_id", "title", "rainbow_color", "total", "theory", "fitness"]
    return store.shard("final_candidates").rows(*shown)


def _ingest(store: ShardStore, as_json: bool) -> None:
    from dataclasses import asdict

    from rainbow_assets.cli.failures import stop_if_failed
    from rainbow_assets.composition import summaries
    from rainbow_assets.definitions import defs
    from rainbow_assets.orchestration import jobs
    from rainbow_assets.storage.shard import MissingShard

    stop_if_failed(jobs.run_colors(defs, assets=["human_evaluation"]))
    try:
        rows = store.shard("human_evaluation").rows(without=["midi"])
    except MissingShard as error:
        raise UsageError("no piece has been composed yet; run: rainbow compose PROPOSAL.yml") from error
    promoted = sorted(f"{row['song_id']}/{row['promoted_to']}" for row in rows if row["promoted_to"])
    if as_json:
        measured = {name: asdict(summaries.agreement(rows, name)) for name in ("total", "theory", "fitness")}
        say(document({"verdicts": len(rows), "promoted": promoted, "agreement": measured}))
        return
    say(layout([f"{counted(len(rows), 'verdict')}, {counted(len(promoted), 'piece')} promoted",
                *(f"  {name}" for name in promoted)]))
    say(summaries.agreements(rows))
