"""Whether a token may publish to a repository of the Hugging Face Hub: found out before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, RepositoryNotFoundError

from rainbow_assets.release.hf_errors import LOG_IN, plain, status_of
from rainbow_assets.release.hubs import HubError

_KIND = "dataset"


def require_rights(api: HfApi, repository: str) -> bool:
    """Raise ``HubError`` unless the token may write to ``repository`` or create it; return True if it exists."""
    with plain(repository, "checking the token"):
        try:
            person = api.whoami()
        except LocalTokenNotFoundError:
            raise HubError(f"{repository}: there is no token; {LOG_IN}") from None
        token = person.get("auth", {}).get("accessToken", {})
        if token.get("role") == "read":
            raise HubError(f"{repository}: the token may not write, only read; make one with the role write at "
                           f"{api.endpoint}/settings/tokens, then set HF_TOKEN to it or run: hf auth login --force")
        if _exists(api, repository):
            return True
        _require_namespace(person, token, repository)
        try:
            api.repo_info(repository, repo_type="model")
        except RepositoryNotFoundError:
            return False
    raise HubError(f"{repository} is a model, not a dataset; set RAINBOW_HUB to another name")


def _exists(api: HfApi, repository: str) -> bool:
    """Return True if the token may write to the repository, False if it sees none."""
    try:
        api.auth_check(repository, repo_type=_KIND, write=True)
    except RepositoryNotFoundError:
        return False
    except HfHubHTTPError as error:
        if status_of(error) != 404:
            raise
        # A compatible server without this check refuses the commit instead.
        try:
            api.repo_info(repository, repo_type=_KIND)
        except RepositoryNotFoundError:
            return False
    return True


def _require_namespace(person: Mapping[str, Any], token: Mapping[str, Any], repository: str) -> None:
    """Raise unless the token sees everything in the namespace: only then a repository it does not see is not there."""
    namespace = repository.partition("/")[0]
    roles = {person["name"]: "admin", **{one["name"]: one.get("roleInOrg") for one in person.get("orgs", [])}}
    scopes = [scope for scope in token.get("fineGrained", {}).get("scoped", [])
              if scope.get("entity", {}).get("name") == namespace and "repo.write" in scope.get("permissions", [])]
    if namespace not in roles:
        why = f"{person['name']}, whose token it is, does not belong to {namespace}"
    elif roles[namespace] == "read":
        why = f"{person['name']} may only read in {namespace}"
    elif token.get("role") == "fineGrained" and not scopes:
        why = f"the token has no write permission for the repositories of {namespace}"
    else:
        return
    raise HubError(f"{repository}: the organization or repository does not exist, or it is private and the token may "
                   f"not see it: {why}; check RAINBOW_HUB, or use a token with write access to {namespace}")
