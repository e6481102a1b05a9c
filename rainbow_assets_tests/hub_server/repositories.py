"""What the loopback Hub keeps: repositories of commits, branches and tags over content-addressed blobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LFS_SUFFIXES = (".parquet", ".flac", ".bin")
_POINTER_BYTES = 134


class Refusal(Exception):
    """An answer that is not 200: status, the Hub's error code and message."""

    def __init__(self, status: int, code: str = "", message: str = "", body: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.body = status, code, message, body or {"error": message}


def git_blob(data: bytes) -> str:
    """Return the object id that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_lfs(path: str, size: int) -> bool:
    """Say whether the Hub keeps a file outside of git."""
    return path.endswith(LFS_SUFFIXES) or size > 10_000_000


@dataclass
class Repository:
    """One repository; a tree maps paths to ``(sha256, size, lfs)``."""

    name: str
    private: bool
    commits: dict[str, dict[str, tuple[str, int, bool]]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        """The newest commit of main."""
        return self.order[-1]

    def resolve(self, revision: str) -> str:
        """Return the commit that a branch, tag or commit id names."""
        if revision in ("main", "HEAD", "refs/heads/main"):
            return self.head
        commit = self.tags.get(revision, revision)
        if commit not in self.commits:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def append(self, tree: dict[str, tuple[str, int, bool]], title: str) -> str:
        """Make ``tree`` the new head of main."""
        text = json.dumps([self.order[-1:], sorted(tree.items()), title, len(self.order)])
        commit = hashlib.sha1(text.encode()).hexdigest()
        self.commits[commit] = tree
        self.order.append(commit)
        return commit


class Repositories:
    """All repositories, the blobs below them and who may do what."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.datasets: dict[str, Repository] = {}
        self.models: set[str] = set()
        self.organizations = {"earth"}
        self.writers, self.readers = {"hf_writer"}, {"hf_writer", "hf_reader"}
        self.strangers: set[str] = set()
        """Tokens of people who belong to no organization."""
        self.roles: dict[str, dict[str, Any]] = {}
        """What whoami answers of a token, if it is not the usual one."""
        self.full = False

    def keep(self, data: bytes) -> str:
        """Keep a blob; raise where the disk is full."""
        if self.full:
            raise Refusal(507, message="No space left on device")
        sha256 = hashlib.sha256(data).hexdigest()
        self.blobs[sha256] = data
        return sha256

    def create(self, name: str, private: bool) -> Repository:
        """Create a dataset with the one file that the Hub adds itself."""
        if name.partition("/")[0] not in self.organizations:
            raise Refusal(404, message=f"Namespace {name.partition('/')[0]} not found")
        if name in self.datasets:
            raise Refusal(409, message="You already created this dataset repo",
                          body={"error": "You already created this dataset repo", "url": f"/datasets/{name}"})
        repository = self.datasets[name] = Repository(name, private)
        attributes = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
        repository.append({".gitattributes": (self.keep(attributes), len(attributes), False)}, "initial commit")
        return repository

    def person(self, token: str) -> dict[str, Any]:
        """Describe the owner of ``token`` as whoami does."""
        role = self.roles.get(token, {"role": "write" if token in {*self.writers, *self.strangers} else "read"})
        orgs = [] if token in self.strangers else [{"name": name, "roleInOrg": "write"}
                                                   for name in sorted(self.organizations)]
        return {"type": "user", "name": "somebody", "orgs": orgs,
                "auth": {"type": "access_token", "accessToken": {"displayName": "t", **role}}}

    def dataset(self, name: str, token: str | None) -> Repository:
        """Return a dataset that ``token`` may read."""
        repository = self.datasets.get(name)
        if repository is None or (repository.private and token not in self.readers):
            raise Refusal(404 if token else 401, "RepoNotFound", "Repository not found")
        return repository

    def entry(self, path: str, file: tuple[str, int, bool]) -> dict[str, Any]:
        """Describe a file as the tree does."""
        sha256, size, lfs = file
        entry: dict[str, Any] = {"type": "file", "path": path, "size": size, "oid": git_blob(self.blobs[sha256])}
        if lfs:
            entry["lfs"] = {"oid": sha256, "size": size, "pointerSize": _POINTER_BYTES}
        return entry

    def commit(self, repository: Repository, lines: Iterable[dict[str, Any]], decode: Any) -> str:
        """Apply the lines of a commit to main: all of them, or none."""
        tree, title = dict(repository.commits[repository.head]), ""
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                title = value["summary"]
                if value.get("parentCommit") not in (None, repository.head):
                    raise Refusal(412, message="A commit has happened since. Please refresh and try again.")
            elif line["key"] == "file":
                data = decode(value["content"])
                tree[value["path"]] = (self.keep(data), len(data), False)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.blobs:
                    raise Refusal(400, message=f"LFS pointer pointed to a file that does not exist: {value['path']}")
                tree[value["path"]] = (value["oid"], len(self.blobs[value["oid"]]), True)
            elif line["key"] == "deletedFile":
                tree.pop(value["path"])
            else:
                raise Refusal(400, message=f"unknown line {line['key']}")
        return repository.append(tree, title)
