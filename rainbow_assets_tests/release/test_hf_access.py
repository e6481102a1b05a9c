"""A token that may not publish stops a release before anything is built, and nothing private looks empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from huggingface_hub import constants

from rainbow_assets.cli import main
from rainbow_assets.release import publish
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.versions import Version
from rainbow_assets_tests.hub_server.server import Hub, running

NAME = "earth/songs"
FINE = {"role": "fineGrained", "fineGrained": {"scoped": [
    {"entity": {"type": "org", "name": "earth"}, "permissions": ["repo.content.read", "repo.write"]}]}}
NOTHING = cast(Any, None)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    with running() as hub:
        hub.repositories.create(NAME, private=True)
        hub.repositories.create("earth/open", private=False)
        hub.repositories.strangers.add("hf_stranger")
        yield hub


def hub_of(server: Hub, token: str | None, name: str = NAME) -> HuggingFaceHub:
    return HuggingFaceHub(f"hf://{name}", server.endpoint, token)


VERBS: list[Callable[[], object]] = [lambda: publish.publish(NOTHING, NOTHING, push=True),
                                     lambda: publish.rehearse(NOTHING, NOTHING, push=True)]


@pytest.mark.parametrize("verb", VERBS, ids=["release", "dry-run"])
@pytest.mark.parametrize(("token", "name", "sentence"), [
    (None, NAME, "there is no token; log in"),
    (None, "earth/open", "there is no token; log in"),
    ("hf_expired", NAME, r"the token is missing or not valid \(expired or deleted\); log in .* or set HF_TOKEN"),
    ("hf_reader", NAME, "the token may not write, only read; make one with the role write at http.*/settings/tokens"),
    ("hf_stranger", NAME, "private and the token may not see it: somebody, .* does not belong to earth"),
    ("hf_stranger", "earth/open", "the token may not write there"),
    ("hf_stranger", "earth/new", "does not belong to earth"),
    ("hf_writer", "mars/new", "does not belong to mars; check RAINBOW_HUB"),
])
def test_a_release_stops_before_anything_is_built(
    verb: Callable[[], object], token: str | None, name: str, sentence: str, server: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no graph and no store: reading either would be another error."""
    monkeypatch.setattr(publish, "open_hub", lambda push: hub_of(server, token, name))
    with pytest.raises(HubError, match=sentence) as caught:
        verb()
    assert "\n" not in str(caught.value) and (token or "hf_") not in str(caught.value)
    assert len(server.log) <= 3, "whoami, the repository, and nothing more"
    assert not any(line.startswith("POST") for line in server.log)


@pytest.mark.parametrize("flags", [[], ["--dry-run"], ["--dry-run", "--json"]])
def test_the_verb_stops_before_it_reads_anything(
    flags: list[str], server: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(publish, "open_hub", lambda push: hub_of(server, None))
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("rainbow_assets.orchestration.jobs.run_release", NOTHING)
    monkeypatch.setattr("rainbow_assets.release.gate_report.gate_report", NOTHING)
    found = CliRunner().invoke(main, ["release", "--push", *flags])
    assert found.exit_code == 1 and "there is no token; log in (hf auth login) or set HF_TOKEN" in found.output
    assert server.log == [] and not (tmp_path / "data").exists()


def test_a_private_repository_without_rights_is_never_empty(server: Hub) -> None:
    for token, sentence in [(None, "it does not exist, or it is private and there is no token"),
                            ("hf_stranger", "does not exist, or the token may not see it")]:
        for read in (HuggingFaceHub.versions, lambda hub: hub.manifest(Version(0, 3, 0))):
            with pytest.raises(HubError, match=sentence):
                read(hub_of(server, token))
    assert hub_of(server, None, "earth/open").versions() == [], "reading what is public needs no token"


def test_a_repository_that_is_not_there_yet_is_only_empty_for_who_may_create_it(server: Hub) -> None:
    hub = hub_of(server, "hf_writer", "earth/new")
    assert hub.establish(write=False) == "hf://datasets/earth/new does not exist yet" and hub.versions() == []
    assert "earth/new" not in server.repositories.datasets


def test_tokens_with_single_permissions_are_read(server: Hub) -> None:
    server.repositories.roles["hf_writer"] = FINE
    assert hub_of(server, "hf_writer", "earth/new").establish(write=False).endswith("does not exist yet")
    assert hub_of(server, "hf_writer").establish(write=False).endswith("main has no version yet")
    server.repositories.roles["hf_writer"] = {"role": "fineGrained", "fineGrained": {"scoped": []}}
    with pytest.raises(HubError, match="no write permission for the repositories of earth"):
        hub_of(server, "hf_writer", "earth/new").establish(write=False)


def test_a_server_without_the_check_is_asked_for_the_repository(server: Hub) -> None:
    server.refuse = lambda line: (404, {"error": "no route"}, {}) if "auth-check" in line else None
    assert hub_of(server, "hf_writer").establish(write=False).endswith("main has no version yet")
    assert hub_of(server, "hf_writer", "earth/new").establish(write=False).endswith("does not exist yet")
