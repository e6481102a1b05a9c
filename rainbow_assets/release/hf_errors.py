"""Errors of the Hugging Face Hub as one-line messages, without tracebacks, headers or tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import get_session
from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from rainbow_assets.release.hubs import HubError

ANSWER_S = 300.0
"""The client has no timeout of its own, and the Hub may need minutes to answer a commit of thousands of files."""
AGAIN = "run the same command again, it continues where this one stopped"


class Superseded(HubError):
    """Somebody else committed to main after it was read and before this commit."""


def status_of(error: HfHubHTTPError) -> int:
    """Return the HTTP status of an answer."""
    return int(error.response.status_code)


@contextmanager
def plain(repository: str, doing: str) -> Iterator[None]:
    """Turn any error of the client while ``doing`` something to ``repository`` into a :class:`HubError`."""
    get_session().timeout = ANSWER_S
    try:
        yield
    except HfHubHTTPError as error:
        raise _refusal(error, repository, doing) from None
    except HFValidationError:
        raise HubError(f"{repository!r} is not the name of a repository; set RAINBOW_HUB to hf://organization/name"
                       ) from None
    except (FileMetadataError, LocalEntryNotFoundError):
        raise HubError(f"{repository}: {doing} got no complete answer; {AGAIN}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise HubError(f"{repository}: {doing} failed ({_kind(error)}); {AGAIN}") from None
    except Exception as error:
        # The client's HTTP library has its own family of errors, whose name depends on the client's version.
        if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2", "httpcore", "httpcore2", "hf_xet"):
            raise
        raise HubError(f"{repository}: the connection broke while {doing} ({_kind(error)}); {AGAIN}") from None


def _kind(error: BaseException) -> str:
    """Return the name of an error, not its message: that of an HTTP library may contain an address with a signature."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _refusal(error: HfHubHTTPError, repository: str, doing: str) -> HubError:
    status = status_of(error)
    if status == 412:
        return Superseded(f"{repository}: somebody else committed to main while {doing}")
    if status == 401:
        return HubError(f"{repository}: the token is missing or not valid; log in (hf auth login) or set HF_TOKEN")
    if status == 403:
        return HubError(f"{repository}: the token may not write there; use a token with write access to "
                        f"{repository.partition('/')[0]}")
    if status == 404:
        return HubError(f"{repository}: {doing} found nothing there: the organization or repository does not exist, "
                        "or the token may not see it; check RAINBOW_HUB")
    if status == 429:
        return HubError(f"{repository}: too many requests while {doing}; wait some minutes, then {AGAIN}")
    if status >= 500:
        return HubError(f"{repository}: the Hub failed while {doing} (status {status}); {AGAIN}")
    lines = (error.response.headers.get("X-Error-Message") or "").splitlines()
    return HubError(f"{repository}: the Hub refused {doing} (status {status}{': ' + lines[0][:200] if lines else ''})")
