"""A hub on the Hugging Face Hub (or a compatible server): one commit per version, which is verified and then tagged.

A version is the commit of a tag such as ``v0.3.0``. Until the commit, readers see no change. After it, main is one
complete release without a tag. Whatever stopped a run, the next one first makes main the highest version: it tags a
whole newer commit, or puts the files of the last tag back. Files that no release lists belong to others and stay.
huggingface_hub reads the address from ``HF_ENDPOINT`` and the token from ``HF_TOKEN`` or the cached login.

A commit never changes, so its listing and its manifest are read once, and the files are compared by that listing: the
number of requests does not grow with the number of files, except by one for each file that is sent or read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    constants,
    get_session,
    hf_hub_url,
)
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from rainbow_assets import scratch
from rainbow_assets.atomic import naming
from rainbow_assets.release import hf_session, hf_tree
from rainbow_assets.release.directory_hub import difference
from rainbow_assets.release.hf_access import require_rights
from rainbow_assets.release.hf_errors import Superseded, plain, status_of
from rainbow_assets.release.hubs import HubError, NoSuchVersion, PublishResult, VersionConflict
from rainbow_assets.release.manifest import NAME, DamagedRelease, Manifest
from rainbow_assets.release.versions import BadVersion, Version
from rainbow_assets.text import some

SCHEME = "hf://"
_KIND = "dataset"


@dataclass(frozen=True, slots=True)
class Main:
    """What main has: its commit, the release in it, a sentence about it, and the highest version (None: none yet)."""

    head: str | None
    release: Manifest | None
    sentence: str
    latest: Version | None = None


class HuggingFaceHub:
    """The versions of one dataset repository, named ``hf://organization/name``."""

    def __init__(self, root: str, endpoint: str | None = None, token: str | None = None) -> None:
        self.repository = root.removeprefix(SCHEME).removeprefix("datasets/").strip("/")
        if self.repository.count("/") != 1:
            raise HubError(f"{root} is not a repository; set RAINBOW_HUB to hf://organization/name")
        hf_session.install()
        self.api = HfApi(endpoint=endpoint, token=token)
        self._exists: bool | None = None
        """Whether the repository exists; None before the rights of the token were checked."""
        self._read: dict[Version, str] = {}
        """The commits of versions that were read: a version never moves."""
        self._trees: dict[str, dict[str, hf_tree.RemoteFile]] = {}
        self._manifests: dict[str, bytes] = {}
        self._unfinished: dict[Version, str] = {}
        """Commits without a tag that a rehearsal takes for versions, because a release would tag them first."""

    @property
    def where(self) -> str:
        """The name of the hub in messages."""
        return f"{SCHEME}datasets/{self.repository}"

    def versions(self) -> list[Version]:
        """Return all tagged versions, lowest first; none if this program may create the repository."""
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
        # What to send depends on main, so a commit by another program in between means a second attempt.
        for attempt in (1, 2):
            try:
                main = self._established(write=True)
                if self._tagged_alike(manifest):
                    return self._result(manifest, "unchanged", [])
                self._require_highest(manifest, main)
                commit, before, sent = self._commit(staged, manifest, main)
                break
            except Superseded as error:
                if attempt == 2:
                    raise Superseded(f"{error}, twice; nothing was published, see who else publishes, then run "
                                     "the same command again") from None
        else:
            raise AssertionError("the loop ends by break, return or raise")
        try:
            self._verify(commit, lambda path: (staged / path).read_bytes(), manifest, before)
        except DamagedRelease as error:
            raise HubError(f"{error}; {self._put_back()}") from None
        try:
            self._tag(commit, manifest)
        except VersionConflict as error:  # a rival tagged other bytes after this commit
            raise VersionConflict(f"{error}; {self._put_back()}") from None
        return self._result(manifest, "published", sent)

    def require_rights(self) -> None:
        """Raise ``HubError`` unless the token may write to the repository or create it; see :func:`require_rights`."""
        self._rights()

    def establish(self, write: bool = True) -> str:
        """Make main the highest version, or find out how it would be made so; see :meth:`Hub.establish`."""
        self._rights()
        for attempt in (1, 2):
            try:
                return self._established(write).sentence
            except Superseded:
                if attempt == 2:
                    raise
        raise AssertionError("the loop ends by return or raise")

    def _established(self, write: bool) -> Main:
        """Return what main has, after what stopped runs left there was finished or taken back."""
        head, versions = self._refs()
        if head is None:
            return Main(None, None, f"{self.where} does not exist yet")
        latest, tree = max(versions, default=None), self._tree(head)
        there = self._manifest_in(head)
        if latest is not None and versions[latest] == head:
            return Main(head, there, self._of_main(f"main is {latest.tag}", tree, there), latest)
        if there is not None and (latest is None or there.version > latest) and not self._flaws(head, there):
            done = self._finished(head, there, write)
            return Main(head, there, self._of_main(f"main is {there.version.tag}, which had no tag: {done}", tree,
                                                   there), there.version)
        if latest is None:
            text = "main has no version yet" if there is None else f"main is no whole {there.version.tag}"
            return Main(head, there, self._of_main(text, tree, there))
        return self._replaced(Main(head, there, "", latest), versions[latest], write)

    def _finished(self, commit: str, manifest: Manifest, write: bool) -> str:
        """Tag the whole release that a stopped run committed."""
        if not write:
            self._unfinished[manifest.version] = commit
            return "it is read back and tagged first"
        try:
            self._tag(commit, manifest)
        except VersionConflict as error:  # its publisher was overtaken, and main is another one by now
            raise Superseded(str(error)) from None
        return "it was read back and tagged"

    def _replaced(self, main: Main, tagged: str, write: bool) -> Main:
        """Put the files of the highest version back where main has others."""
        assert main.head is not None and main.latest is not None
        before, good, tree = self.manifest(main.latest), self._tree(tagged), self._tree(main.head)
        owned = hf_tree.paths(before) | hf_tree.paths(main.release)
        wrong = sorted(path for path in owned if tree.get(path) != good.get(path))
        text, head = f"main is {main.latest.tag}", main.head
        if wrong:
            done = "were put back" if write else "are put back first"
            text = f"main was not {main.latest.tag}: {some(wrong)} differed, and its files {done}"
        if wrong and write:
            operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = []
            for path in wrong:
                if (file := good.get(path)) is None:
                    operations.append(CommitOperationDelete(path, is_folder=False))
                elif file.sha256:
                    operations.append(CommitOperationCopy(path, path, src_revision=tagged))
                else:
                    operations.append(CommitOperationAdd(path, self._download(tagged, path)))
            with plain(self.repository, "putting the files of the last version back"):
                head = self.api.create_commit(
                    self.repository, operations, commit_message=f"Put the files of {main.latest.tag} back",
                    repo_type=_KIND, parent_commit=main.head).oid
        return Main(head, before, self._of_main(text, tree, main.release or before), main.latest)

    def _of_main(self, text: str, tree: dict[str, hf_tree.RemoteFile], release: Manifest | None) -> str:
        foreign = hf_tree.others(tree, release)
        return f"{self.where}: {text}" + (
            f"; files of others, which stay unless a release has their names: {some(foreign)}" if foreign else "")

    def _manifest_in(self, commit: str) -> Manifest | None:
        """Return the manifest in ``commit``, or None if there is none that can be read."""
        try:
            return Manifest.from_json(self._download(commit, NAME), f"{self.where}/{NAME}")
        except DamagedRelease:
            return None

    def _put_back(self) -> str:
        """Take back what was committed and is not right; return a sentence on what was done."""
        try:
            return self.establish()
        except HubError as error:
            return f"main is as it was committed ({error})"

    def _result(self, manifest: Manifest, outcome: str, sent: list[CommitOperationAdd]) -> PublishResult:
        size = sum(operation.upload_info.size for operation in sent)
        return PublishResult(manifest.version, self.repository, outcome, len(sent), size, manifest.version.tag)

    def _refs(self) -> tuple[str | None, dict[Version, str]]:
        """Return the commit of main and those of the versions; (None, {}) if the repository is still to be created."""
        with plain(self.repository, "reading its tags"):
            try:
                refs = self.api.list_repo_refs(self.repository, repo_type=_KIND)
            except RepositoryNotFoundError:
                # A private repository without rights looks the same, and is not an empty one.
                if self._exists is not False:
                    raise
                return None, {}
        found = dict(self._unfinished)
        for tag in refs.tags:
            try:
                version = Version.parse(tag.name)
            except BadVersion:  # a person's tag, which is not a version
                continue
            if version.tag == tag.name:
                found[version] = tag.target_commit
        return next((branch.target_commit for branch in refs.branches if branch.name == "main"), None), found

    def _commit_of(self, version: Version) -> str:
        if version not in self._read:
            commits = self._refs()[1]
            if version not in commits:
                known = ", ".join(item.tag for item in sorted(commits)) or "none"
                raise NoSuchVersion(f"{self.where} has no version {version.tag}; versions there: {known}")
            self._read[version] = commits[version]
        return self._read[version]

    def _rights(self) -> bool:
        """Check once that the token may publish; return True if the repository exists."""
        if self._exists is None:
            self._exists = require_rights(self.api, self.repository)
        return self._exists

    def _require_repository(self, public: bool) -> None:
        if not self._rights():
            with plain(self.repository, "creating the repository"):
                self.api.create_repo(self.repository, repo_type=_KIND, private=not public, exist_ok=True)
            self._exists = True
        else:
            self.open_to_all(public)

    def open_to_all(self, public: bool = False) -> bool:
        """Return True if the repository is public, or will be; raise ``HubError`` if ``public`` and it is private."""
        if not self._rights():
            return public
        with plain(self.repository, "reading its visibility"):
            private = bool(self.api.repo_info(self.repository, repo_type=_KIND).private)
        if public and private:
            raise HubError(f"{self.where} is private, and --public changes no repository that exists; change "
                           "its visibility in the repository's settings, then publish without --public")
        return not private

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

    def _require_highest(self, manifest: Manifest, main: Main) -> None:
        """Raise if main has a higher version, so that a slow publisher never moves main backwards."""
        if main.latest is not None and main.latest > manifest.version:
            raise VersionConflict(f"{main.latest.tag} is in {self.where} already, and {manifest.version.tag} is lower; "
                                  "publish under a higher version")

    def _tree(self, commit: str) -> dict[str, hf_tree.RemoteFile]:
        if commit not in self._trees:
            with plain(self.repository, "listing its files"):
                self._trees[commit] = hf_tree.listed(self.api.list_repo_tree(
                    self.repository, recursive=True, revision=commit, repo_type=_KIND))
        return self._trees[commit]

    def _commit(
        self, staged: Path, manifest: Manifest, main: Main
    ) -> tuple[str, Manifest | None, list[CommitOperationAdd]]:
        """Make main contain the release; return (the commit, the release before it, what was sent)."""
        if main.head is None:
            raise HubError(f"{self.where} has no branch main; make one in the repository's settings")
        changed, gone = hf_tree.changes(self._tree(main.head), lambda path: (staged / path).read_bytes(), manifest,
                                        main.release)
        deleted = [CommitOperationDelete(path, is_folder=False) for path in gone]
        with ExitStack() as opened:
            by_name = self._xet()
            added = [CommitOperationAdd(path, str(staged / path) if by_name else
                                        opened.enter_context((staged / path).open("rb"))) for path in changed]
            with plain(self.repository, "sending files"):
                hf_session.stoppable(lambda: self.api.preupload_lfs_files(
                    self.repository, added, repo_type=_KIND, free_memory=False))
            with plain(self.repository, "committing"):
                done = self.api.create_commit(
                    self.repository, [*added, *deleted], commit_message=f"{manifest.version.tag}",
                    repo_type=_KIND, parent_commit=main.head)
        return done.oid, main.release, added

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

    def _flaws(self, commit: str, manifest: Manifest) -> list[str]:
        """Return what is wrong with the release that ``commit`` should be; none if a reader gets all of it."""
        try:
            self._verify(commit, lambda path: self._download(commit, path), manifest, None)
        except DamagedRelease as error:
            return [str(error)]
        return []

    def _verify(self, commit: str, read: hf_tree.Read, manifest: Manifest, before: Manifest | None) -> None:
        """Compare the files of ``commit`` with the release; raise ``DamagedRelease`` if they differ."""
        changed, gone = hf_tree.changes(self._tree(commit), read, manifest, before)
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

    def _download(self, commit: str, path: str) -> bytes:
        """Return the bytes of a file; raise ``DamagedRelease`` if ``commit`` has no such file, ``HubError``."""
        if path not in self._tree(commit):
            raise DamagedRelease(f"{self.where} has no {path} at {commit[:12]}, so that is not a release")
        if path == NAME and commit in self._manifests:
            return self._manifests[commit]
        address = hf_hub_url(self.repository, path, revision=commit, repo_type=_KIND, endpoint=self.api.endpoint)
        with plain(self.repository, f"reading {path}"):
            answer = get_session().get(address, headers=build_hf_headers(token=self.api.token))
            hf_raise_for_status(answer)
        if path == NAME:
            self._manifests[commit] = answer.content
        return answer.content
