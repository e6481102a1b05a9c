"""What the Hub refuses for good is one sentence with what to do, without addresses and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.manifest import read_manifest
from rainbow_assets_tests.hub_server.server import Hub, running
from rainbow_assets_tests.release import small

NAME = "earth/songs"
SECRET = "see https://cdn/x?Signature=abc with hf_writer"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    shards = small.preview_parts(root / "parts", {"Red": ("02_01",), "Green": ("05_01",)}, 1, 0.1)
    small.stage(root / "new", [small.preview_table(shards)], "0.3.0")
    return root / "new"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with running() as hub:
        hub.repositories.create(NAME, private=True)
        yield hub


@pytest.mark.parametrize(("line", "status", "words", "sentence"), [
    ("PUT /_lfs", 507, "No space left on device", r"no room for sending files \(status 507: No space left.*more storage"),
    ("POST /datasets", 403, "Private repository storage limit reached", "no room for sending files .*storage for earth"),
    ("POST /datasets", 402, "Payment required", "no room for sending files"),
    ("/commit/", 403, "You may not", r"the token may not write there \(the Hub: You may not\); use a token"),
    ("PUT /_lfs", 413, "Request entity too large", "sending files sent more than the server takes at once.*proxy"),
    ("/commit/", 413, "", "committing sent more than the server takes at once .*413: without a reason"),
    ("POST /datasets", 422, "The file is banned", r"refused sending files \(status 422: The file is banned\); change"),
    ("/commit/", 400, SECRET, r"refused committing \(status 400: see \.\.\. with \.\.\.\)"),
    ("/tag/", 501, "what", r"failed while tagging the version \(status 501\).*run the same command again"),
])
def test_a_refusal_is_one_sentence(
    line: str, status: int, words: str, sentence: str, server: Hub, release: Path
) -> None:
    server.refuse = lambda request: (status, {"error": words}, {}) if line in request else None
    require_refused(server, release, sentence)


def test_a_file_that_lfs_refuses_is_one_sentence(server: Hub, release: Path) -> None:
    found: Any = {"transfer": "basic", "objects": [
        {"oid": "0" * 64, "size": 1, "error": {"code": 422, "message": f"Over quota, {SECRET}"}}]}
    server.refuse = lambda request: (200, found, {}) if "objects/batch" in request else None
    require_refused(server, release, r"refused a file while sending files \(Over quota, see \.\.\. with \.\.\.\)")


def require_refused(server: Hub, release: Path, sentence: str) -> None:
    with pytest.raises(HubError, match=sentence) as caught:
        HuggingFaceHub(f"hf://{NAME}", server.endpoint, "hf_writer").publish(release, read_manifest(release, "here"))
    text = str(caught.value)
    assert "\n" not in text and "hf_writer" not in text and "Signature" not in text and server.endpoint not in text
    assert not server.repositories.datasets[NAME].tags
