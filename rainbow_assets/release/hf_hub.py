"""A hub on the Hugging Face Hub (or a compatible server): one commit per version, which is verified and then tagged.

A version is the commit of a tag such as ``v0.3.0``. Until the commit, readers see no change. After it, main is one
complete release without a tag, which the next run verifies and tags. huggingface_hub reads the address from
``HF_ENDPOINT`` and the token from ``HF_TOKEN`` or the cached login.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    constants,
    get_session,
)
from huggingface_hub.errors import HfHubHTTPError, RemoteEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.utils import build_hf_headers

from rainbow_assets import scratch
from rainbow_assets.atomic import naming
from rainbow_assets.release import hf_tree
from rainbow_assets.release.directory_hub import difference
from rainbow_assets.release.hf_errors import Superseded, plain, status_of
from rainbow_assets.release.hubs import HubError, NoSuchVersion, PublishResult, VersionConflict
from rainbow_assets.release.manifest import NAME, DamagedRelease, Manifest
from rainbow_assets.release.versions import BadVersion, Version

SCHEME = "hf://"
_KIND = "dataset"


class HuggingFaceHub:
    """The versions of one dataset repository, named ``hf://organization/name``."""

    def __init__(self, root: str, endpoint: str | None = None, token: str | None = None) -> None:
        self.repository = root.removeprefix(SCHEME).removeprefix("datasets/").strip("/")
        if self.repository.count("/") != 1:
            raise HubError(f"{root} is not a repository; set RAINBOW_HUB to hf://organization/name")
        self.api = HfApi(endpoint=endpoint, token=token)

    @property
    def where(self) -> str:
        """The name of the hub in messages."""
        return f"{SCHEME}datasets/{self.repository}"

    def versions(self) -> list[Version]:
        """Return all tagged versions, lowest first; none if the repository does not exist yet."""
        return sorted(self._refs()[1])

    def manifest(self, version: Version) -> Manifest:
        """Return the manifest of ``version``; raise ``NoSuchVersion``, ``DamagedRelease``."""
        return Manifest.from_json(self.read(version, NAME), f"{self.where}@{version.tag}/{NAME}")

    def path_of(self, version: Version) -> str:
        """Return the address of ``version``, as fsspec takes it; raise ``NoSuchVersion``."""
        self._commit_of(version)
        return f"{self.where}@{version.tag}"

    def read(self, version: Version, path: str) -> bytes:
        """Return the bytes of one file of ``version``; raise ``NoSuchVersion``."""
        return self._download(self._commit_of(version), path)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield an empty local folder; removed on the way out."""
        with scratch.folder() as folder, naming(folder):
            yield folder

    def publish(self, staged: Path, manifest: Manifest, public: bool = False) -> PublishResult:
        """Send the files that the Hub does not have, commit once, read back, tag; see :meth:`Hub.publish`.

        A new repository is private unless ``public``; the visibility of an existing one is never changed.
        """
        problems = manifest.problems(staged)
        if not (staged / NAME).is_file() or (staged / NAME).read_bytes() != manifest.to_json():
            problems.append(f"{NAME} is not the manifest that is being published")
        if problems:
            raise DamagedRelease(f"{manifest.version.tag} is not published: {'; '.join(problems)}")
        self._require_repository(public)
        if self._tagged_alike(manifest):
            return self._result(manifest, "unchanged", [])
        sent: list[CommitOperationAdd] = []
        # Once more if somebody else committed in between: the set of files to send depends on the head of main.
        for attempt in (1, 2):
            try:
                commit, previous, sent = self._commit(staged, manifest)
                break
            except Superseded as error:
                if self._tagged_alike(manifest):
                    return self._result(manifest, "unchanged", [])
                self._require_no_rival(manifest)
                if attempt == 2:
                    raise Superseded(f"{error}, twice; nothing was published, see who else publishes, then run "
                                     "the same command again") from None
        else:
            raise AssertionError("the loop ends by break, return or raise")
        try:
            self._verify(commit, staged, manifest)
        except DamagedRelease as error:
            raise HubError(f"{error}; {self._restore(commit, previous)}") from None
        try:
            self._tag(commit, manifest)
        except VersionConflict as error:  # a rival committed before, and tagged after, this commit
            raise VersionConflict(f"{error}; {self._restore(commit, previous)}") from None
        return self._result(manifest, "published", sent)

    def _result(self, manifest: Manifest, outcome: str, sent: list[CommitOperationAdd]) -> PublishResult:
        size = sum(operation.upload_info.size for operation in sent)
        return PublishResult(manifest.version, self.repository, outcome, len(sent), size, manifest.version.tag)

    def _refs(self) -> tuple[str | None, dict[Version, str]]:
        """Return the commit of main and those of the versions; (None, {}) without a repository."""
        with plain(self.repository, "reading its tags"):
            try:
                refs = self.api.list_repo_refs(self.repository, repo_type=_KIND)
            except RepositoryNotFoundError as error:
                if status_of(error) == 401 and self.api.token is not None:
                    raise
                return None, {}
        found: dict[Version, str] = {}
        for tag in refs.tags:
            try:
                version = Version.parse(tag.name)
            except BadVersion:  # a person's tag, which is not a version
                continue
            if version.tag == tag.name:
                found[version] = tag.target_commit
        return next((branch.target_commit for branch in refs.branches if branch.name == "main"), None), found

    def _commit_of(self, version: Version) -> str:
        commits = self._refs()[1]
        if version not in commits:
            known = ", ".join(item.tag for item in sorted(commits)) or "none"
            raise NoSuchVersion(f"{self.where} has no version {version.tag}; versions there: {known}")
        return commits[version]

    def _require_repository(self, public: bool) -> None:
        with plain(self.repository, "looking for the repository"):
            try:
                info = self.api.repo_info(self.repository, repo_type=_KIND)
            except RepositoryNotFoundError:
                info = None
            if info is not None:
                if public and info.private:
                    raise HubError(f"{self.where} is private, and --public changes no repository that exists; change "
                                   "its visibility in the repository's settings, then publish without --public")
                return
            self.api.whoami()
            try:
                self.api.repo_info(self.repository, repo_type="model")
            except RepositoryNotFoundError:
                pass
            else:
                raise HubError(f"{self.repository} is a model, not a dataset; set RAINBOW_HUB to another name")
        with plain(self.repository, "creating the repository"):
            self.api.create_repo(self.repository, repo_type=_KIND, private=not public, exist_ok=True)

    def _tagged_alike(self, manifest: Manifest) -> bool:
        """Return True if the version is published with the same bytes; raise ``VersionConflict`` if with others."""
        tag, commit = manifest.version.tag, self._refs()[1].get(manifest.version)
        if commit is None:
            return False
        there = Manifest.from_json(self._download(commit, NAME), f"{self.where}@{tag}/{NAME}")
        if there.to_json() != manifest.to_json():
            raise VersionConflict(f"{tag} exists in {self.where} with other bytes ({difference(there, manifest)}); "
                                  "versions never change: publish under the next version")
        return True

    def _require_no_rival(self, manifest: Manifest) -> None:
        """Raise if main has the same version with other bytes: its publisher is about to tag it."""
        head = self._refs()[0]
        if head is None or NAME not in self._tree(head):
            return
        there = Manifest.from_json(self._download(head, NAME), f"{self.where}/{NAME}")
        if there.version == manifest.version and there.to_json() != manifest.to_json():
            raise VersionConflict(f"somebody else is publishing {manifest.version.tag} in {self.where} with other "
                                  f"bytes ({difference(there, manifest)}); publish under the next version")

    def _tree(self, commit: str) -> dict[str, hf_tree.RemoteFile]:
        with plain(self.repository, "listing its files"):
            return hf_tree.listed(self.api.list_repo_tree(self.repository, recursive=True, revision=commit,
                                                          repo_type=_KIND))

    def _commit(self, staged: Path, manifest: Manifest) -> tuple[str, str, list[CommitOperationAdd]]:
        """Make main contain exactly the release; return (the commit, its parent, what was sent).

        If main already does, an earlier run stopped after its commit: that commit is returned.
        """
        head = self._refs()[0]
        if head is None:
            raise HubError(f"{self.where} has no branch main; make one in the repository's settings")
        changed, gone = hf_tree.changes(self._tree(head), staged, manifest)
        if not changed and not gone:
            return head, head, []
        deleted = [CommitOperationDelete(path, is_folder=False) for path in gone]
        with ExitStack() as opened:
            by_name = self._xet()
            added = [CommitOperationAdd(path, str(staged / path) if by_name else
                                        opened.enter_context((staged / path).open("rb"))) for path in changed]
            with plain(self.repository, "sending files"):
                self.api.preupload_lfs_files(self.repository, added, repo_type=_KIND, free_memory=False)
            with plain(self.repository, "committing"):
                done = self.api.create_commit(
                    self.repository, [*added, *deleted], commit_message=f"{manifest.version.tag}",
                    repo_type=_KIND, parent_commit=head)
        return done.oid, head, added

    def _xet(self) -> bool:
        """Return True if files may be sent by name.

        The client then uses Xet if that is installed, does not ask the server whether it has Xet, and fails if it does
        not. It sends open files through LFS.
        """
        if constants.HF_HUB_DISABLE_XET:
            return True
        with plain(self.repository, "asking for Xet"):
            answer = get_session().get(f"{self.api.endpoint}/api/datasets/{self.repository}/xet-write-token/main",
                                       headers=build_hf_headers(token=self.api.token))
        return answer.status_code != 404

    def _verify(self, commit: str, staged: Path, manifest: Manifest) -> None:
        """Compare the files of ``commit`` with the release; raise ``DamagedRelease`` if they differ."""
        changed, gone = hf_tree.changes(self._tree(commit), staged, manifest)
        found = [f"{path} is not what was sent" for path in changed] + [f"{path} is not of this version"
                                                                        for path in gone]
        found += hf_tree.read_back(lambda path: self._download(commit, path), manifest) if not found else []
        if found:
            raise DamagedRelease(f"{manifest.version.tag} differs from what was sent ({'; '.join(found[:3])}) and was "
                                 "not tagged")

    def _tag(self, commit: str, manifest: Manifest) -> None:
        with plain(self.repository, "tagging the version"):
            try:
                self.api.create_tag(self.repository, tag=manifest.version.tag, revision=commit, repo_type=_KIND)
            except HfHubHTTPError as error:
                if status_of(error) != 409:
                    raise
        # The tag may be that of another run: it must point to the same bytes.
        if not self._tagged_alike(manifest):
            raise HubError(f"{manifest.version.tag} was committed and not tagged; run the same command again")

    def _restore(self, commit: str, previous: str) -> str:
        """Commit the tree of ``previous`` again, over ``commit``; return a sentence on what was done."""
        if self._refs()[0] != commit:
            return "main has changed since, so the previous files were not put back"
        before, after = self._tree(previous), self._tree(commit)
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = []
        for path, file in sorted(before.items()):
            if after.get(path) == file:
                continue
            if file.sha256:
                operations.append(CommitOperationCopy(path, path, src_revision=previous))
            else:
                operations.append(CommitOperationAdd(path, self._download(previous, path)))
        operations += [CommitOperationDelete(path, is_folder=False) for path in sorted(set(after) - set(before))]
        if not operations:
            return "main was like this before; look at the repository's history"
        try:
            with plain(self.repository, "putting the previous files back"):
                self.api.create_commit(self.repository, operations, commit_message="Put the previous files back",
                                       repo_type=_KIND, parent_commit=commit)
        except Superseded:
            return "main has changed since, so the previous files were not put back"
        return "the previous files were put back"

    def _download(self, commit: str, path: str) -> bytes:
        """Return the bytes of a file, which the client compares with the Hub's metadata; raise ``HubError``."""
        with plain(self.repository, f"reading {path}"), scratch.folder() as folder:
            try:
                name = self.api.hf_hub_download(self.repository, path, revision=commit, repo_type=_KIND,
                                                local_dir=folder)
            except RemoteEntryNotFoundError:
                raise DamagedRelease(f"{self.where} has no {path} at {commit[:12]}, so that is not a release") from None
            return Path(name).read_bytes()
