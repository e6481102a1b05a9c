"""Errors of the Hugging Face Hub as one-line messages, without tracebacks, headers or tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

from rainbow_assets.errors import RainbowError
from rainbow_assets.release.hf_session import Unavailable
from rainbow_assets.release.hubs import HubError

AGAIN = "run the same command again, it continues where this one stopped"
LOG_IN = "log in (hf auth login) or set HF_TOKEN"
_FULL = re.compile(r"quota|storage|limit|space|payment|billing", re.IGNORECASE)
_SECRET = re.compile(r"\S+://\S+|hf_\w+")


class Superseded(HubError):
    """Somebody else committed to main after it was read and before this commit."""


def status_of(error: HfHubHTTPError) -> int:
    """Return the HTTP status of an answer."""
    return int(error.response.status_code)


@contextmanager
def plain(repository: str, doing: str) -> Iterator[None]:
    """Turn any error of the client while ``doing`` something to ``repository`` into a :class:`HubError`."""
    try:
        yield
    except Exception as error:
        raise _sentence(error, repository, doing) from None


def _sentence(error: BaseException, repository: str, doing: str) -> BaseException:
    """Return the error to raise; ``error`` itself if it is none of the client."""
    if isinstance(error, Unavailable):
        return HubError(f"{repository}: {doing} failed: {error}; {AGAIN}")
    if isinstance(error, RainbowError):
        return error
    if isinstance(error, HfHubHTTPError):
        return _refusal(error, repository, doing)
    if isinstance(error, HFValidationError):
        return HubError(f"{repository!r} is not the name of a repository; set RAINBOW_HUB to hf://organization/name")
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        # The client wraps what went wrong with a file.
        return _sentence(error.__cause__, repository, doing)
    if isinstance(error, ValueError) and "LFS batch API returned errors" in str(error):
        words = _shown(str(error).partition("`")[2].partition("`")[0])
        return HubError(f"{repository}: the Hub refused a file while {doing} ({words}); make room or change the file, "
                        "then run the same command again")
    if isinstance(error, OSError | ValueError | RuntimeError):
        return HubError(f"{repository}: {doing} failed ({_kind(error)}); {AGAIN}")
    # The client's HTTP library and Xet have their own families of errors.
    if type(error).__module__.partition(".")[0] not in ("httpx2", "httpcore2", "hf_xet"):
        return error
    return HubError(f"{repository}: the connection broke while {doing} ({_kind(error)}); {AGAIN}")


def _kind(error: BaseException) -> str:
    """Return the name of an error, not its message: that of an HTTP library may contain an address with a signature."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _shown(text: str) -> str:
    """Return the first line of what a server wrote, without addresses and tokens, for a message of ours."""
    return _SECRET.sub("...", text.strip().partition("\n")[0])[:200] or "without a reason"


def _refusal(error: HfHubHTTPError, repository: str, doing: str) -> HubError:
    status, namespace = status_of(error), repository.partition("/")[0]
    words = _shown(error.server_message or "")
    if status == 412:
        return Superseded(f"{repository}: somebody else committed to main while {doing}")
    if status == 401 and isinstance(error, RepositoryNotFoundError):
        return HubError(f"{repository}: it does not exist, or it is private and there is no token; check RAINBOW_HUB, "
                        f"or {LOG_IN}")
    if status == 401:
        return HubError(f"{repository}: the token is missing or not valid (expired or deleted); {LOG_IN}")
    if status in (402, 507) or (status == 403 and _FULL.search(words)):
        return HubError(f"{repository}: the Hub has no room for {doing} (status {status}: {words}); delete files or "
                        f"get more storage for {namespace}, then {AGAIN}")
    if status == 403:
        return HubError(f"{repository}: the token may not write there (the Hub: {words}); use a token with write "
                        f"access to {namespace}")
    if status == 404:
        return HubError(f"{repository}: {doing} found nothing there: the organization or repository does not exist, "
                        "or the token may not see it; check RAINBOW_HUB")
    if status == 413:
        return HubError(f"{repository}: {doing} sent more than the server takes at once (status 413: {words}); raise "
                        "the limit of the server, or of the proxy before it")
    if status > 500:
        return HubError(f"{repository}: the Hub failed while {doing} (status {status}); {AGAIN}")
    return HubError(f"{repository}: the Hub refused {doing} (status {status}: {words}); change what it names, then "
                    "run the same command again")
