"""One computation, from its accepted manifest to its result.

Source: cocos-grpc.md sections 2.3 (states and events), 2.4 (refusals), 5.5 (stop).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Final

import structlog

from prism_iac.agent._protocol import Refusal, Role
from prism_iac.agent.server._algorithm import Job
from prism_iac.agent.server._allowance import Allowance, DataLimits
from prism_iac.agent.server._announcer import ALGORITHM_RUN, STOPPED, Announcer, EventStatus
from prism_iac.agent.server._file_name import problem_of_file_name
from prism_iac.agent.server._incoming import IncomingFile
from prism_iac.agent.server._refused import Refused, RunFailed
from prism_iac.agent.server._result import StoredResult, store_result
from prism_iac.agent.server._runner import Runner
from prism_iac.agent.server._unpack import BadArchiveError, UnpackLimits, unpack
from prism_iac.agent.server._workspace import Workspace
from prism_iac.agent.server.sources import Fetcher, FetchFailed
from prism_iac.errors import Defect
from prism_iac.model import AgentState, Manifest, ManifestDataset, RemoteSource

__all__ = ["Computation"]

_NEXT: Final[Mapping[AgentState, frozenset[AgentState]]] = {
    AgentState.RECEIVING_MANIFEST: frozenset({AgentState.RECEIVING_ALGORITHM}),
    AgentState.RECEIVING_ALGORITHM: frozenset(
        {AgentState.RECEIVING_DATA, AgentState.RUNNING, AgentState.FAILED}
    ),
    AgentState.RECEIVING_DATA: frozenset({AgentState.RUNNING, AgentState.FAILED}),
    AgentState.RUNNING: frozenset({AgentState.CONSUMING_RESULTS, AgentState.FAILED}),
    AgentState.CONSUMING_RESULTS: frozenset({AgentState.COMPLETE}),
}
"""Which state may follow which."""

_SERVES_RESULT: Final = frozenset({AgentState.CONSUMING_RESULTS, AgentState.COMPLETE})

_log = structlog.get_logger(__name__)


class Computation:
    """The agent's state as participants of one manifest meet it.

    Every method that changes it decides and acts without giving way to another, so that of two calls at the
    same moment one comes first.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        workspace: Workspace,
        announcer: Announcer,
        runner: Runner,
        limits: DataLimits,
        fetcher: Fetcher,
    ) -> None:
        self.manifest = manifest
        self.state = AgentState.RECEIVING_MANIFEST
        self._workspace = workspace
        self._announcer = announcer
        self._runner = runner
        self._allowance = Allowance(limits)
        self._fetcher = fetcher
        self._awaited = list(manifest.datasets)
        self._job: Job | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._result: StoredResult | None = None
        self._failure = ""

    def incoming(self) -> IncomingFile:
        """Where an upload is written before it is accepted."""
        return IncomingFile(self._workspace.incoming, self._allowance)

    def keys_of(self, role: Role) -> tuple[bytes, ...]:
        """The public keys, PKIX DER, of those who may act in a role."""
        return {
            Role.ALGORITHM_PROVIDER: (self.manifest.algorithm.user_key,),
            Role.DATA_PROVIDER: tuple(dataset.user_key for dataset in self.manifest.datasets),
            Role.CONSUMER: self.manifest.result_consumers,
        }[role]

    def begin(self) -> None:
        """Wait for the algorithm; its folders are prepared and its port is open."""
        self._workspace.mark(self.manifest.id)
        self._enter(AgentState.RECEIVING_ALGORITHM, EventStatus.IN_PROGRESS)
        if self.manifest.algorithm.source is not None:
            self._start(self._supply(self._fetch_algorithm(self.manifest.algorithm.source)))

    def take_algorithm(
        self, algorithm: IncomingFile, requirements: IncomingFile, *, kind: str, arguments: tuple[str, ...]
    ) -> None:
        """Accept a whole upload of the algorithm, and go on to the data or the run.

        Raises:
            Refused: It is empty, not expected, or not the declared one.
            OSError: The disk does not take it.
        """
        digest = algorithm.finish()
        requirements.finish()
        if not algorithm.size_bytes:
            raise Refused(Refusal.ALGORITHM_EMPTY)
        if self.manifest.algorithm.source is not None:
            raise Refused(Refusal.NOT_EXPECTED)
        self._expect(AgentState.RECEIVING_ALGORITHM)
        if digest != self.manifest.algorithm.hash:
            raise Refused(Refusal.HASH_DIFFERS)
        self._accept_algorithm(algorithm, requirements, kind, arguments)

    def _accept_algorithm(
        self, algorithm: IncomingFile, requirements: IncomingFile, kind: str, arguments: tuple[str, ...]
    ) -> None:
        algorithm.keep_as(self._workspace.algorithm, 0o700)
        if requirements.size_bytes:
            requirements.keep_as(self._workspace.requirements, 0o600)
        self._job = Job(kind, arguments, has_requirements=bool(requirements.size_bytes))
        _log.info("algorithm received", kind=kind, size_bytes=algorithm.size_bytes)
        if self._awaited:
            self._enter(AgentState.RECEIVING_DATA, EventStatus.IN_PROGRESS)
            self._start(self._supply(self._fetch_datasets()))
        else:
            self._start_run()

    async def take_dataset(self, upload: IncomingFile, filename: str, *, decompress: bool) -> None:
        """Accept a whole upload of a dataset; the last one starts the run.

        Raises:
            Refused: It is empty, not expected, not a declared one, or cannot be unpacked.
            OSError: The disk does not take it.
        """
        digest = upload.finish()
        if not upload.size_bytes:
            raise Refused(Refusal.DATASET_EMPTY)
        await self._accept_dataset(
            upload,
            filename,
            lambda: self._declared(filename, digest),
            decompress=decompress,
        )

    async def _accept_dataset(
        self, upload: IncomingFile, filename: str, find: Callable[[], ManifestDataset], *, decompress: bool
    ) -> None:
        declared = find()
        if decompress:
            with tempfile.TemporaryDirectory(dir=self._workspace.incoming) as folder:
                unpacked = await self._unpack(upload.path, Path(folder))
                # A stop or the same dataset from elsewhere may have come in between.
                declared = find()
                self._allowance.take(unpacked, of_upload=0)
                self._place_unpacked(Path(folder))
        else:
            self._place_file(upload, declared.filename or filename)
        self._awaited.remove(declared)
        _log.info("dataset received", size_bytes=upload.size_bytes, awaited=len(self._awaited))
        if not self._awaited:
            self._start_run()

    def result(self) -> StoredResult:
        """The result, in every state that has one.

        Raises:
            Refused: There is none yet, or the run failed.
        """
        if self.state is AgentState.FAILED:
            raise Refused(self._failure)
        if self.state not in _SERVES_RESULT or self._result is None:
            raise Refused(Refusal.NOT_READY)
        return self._result

    def note_result_fetched(self) -> None:
        """Take note that a consumer has the whole result."""
        if self.state is AgentState.CONSUMING_RESULTS:
            self._enter(AgentState.COMPLETE, EventStatus.COMPLETED)

    def announce_stop(self) -> None:
        """Tell Prism that the computation is stopped."""
        self._announce(STOPPED, EventStatus.STOPPED)

    async def end(self) -> None:
        """End the run, if there is one; whatever participants still send is refused."""
        self.state = AgentState.IDLE
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _enter(
        self, state: AgentState, status: EventStatus, details: Mapping[str, str | int] | None = None
    ) -> None:
        if state not in _NEXT.get(self.state, frozenset()):
            raise Defect(f"{state} does not follow {self.state}", where="agent")
        self.state = state
        self._announcer.announce(self.manifest.id, state, status, details)

    def _expect(self, state: AgentState) -> None:
        if self.state is not state:
            raise Refused(Refusal.NOT_EXPECTED)

    def _declared(self, filename: str, digest: bytes) -> ManifestDataset:
        """The awaited dataset that an upload is: by name, or by hash where the manifest has no name."""
        self._expect(AgentState.RECEIVING_DATA)
        uploads = [item for item in self._awaited if item.source is None]
        named = next((item for item in uploads if item.filename and item.filename == filename), None)
        if named is not None:
            if named.hash != digest:
                raise Refused(Refusal.HASH_DIFFERS)
            return named
        for item in uploads:
            if not item.filename and item.hash == digest:
                return item
        raise Refused(Refusal.DATASET_UNDECLARED)

    def _place_file(self, upload: IncomingFile, name: str) -> None:
        problem = problem_of_file_name(name)
        if problem:
            raise Refused(f"malformed data, the file name {problem}")
        place = self._workspace.datasets / name
        if place.exists():
            raise Refused("a dataset with this file name has been received already")
        upload.keep_as(place, 0o600)

    async def _unpack(self, archive: Path, folder: Path) -> int:
        limits = self._allowance.limits
        bounds = UnpackLimits(limits.archive_files, self._allowance.left_bytes, limits.archive_ratio)
        try:
            return await asyncio.to_thread(unpack, archive, folder, bounds)
        except BadArchiveError as error:
            raise Refused(f"{Refusal.DATASET_NOT_UNPACKED}: {error}") from error

    def _place_unpacked(self, folder: Path) -> None:
        entries = sorted(folder.iterdir())
        if any((self._workspace.datasets / entry.name).exists() for entry in entries):
            raise Refused("a dataset with a file of the same name has been received already")
        for entry in entries:
            entry.rename(self._workspace.datasets / entry.name)

    def _start_run(self) -> None:
        self._enter(AgentState.RUNNING, EventStatus.STARTING)
        self._start(self._run_to_the_end())

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _supply(self, fetching: Coroutine[None, None, None]) -> None:
        """Fetch what the manifest says is elsewhere; without it the computation fails."""
        try:
            await fetching
        except (FetchFailed, Refused) as error:
            failure = error.message
        except OSError as error:
            failure = f"the agent's disk failed: {error.strerror}"
        except Exception as error:  # noqa: BLE001  # the edge of a task: no defect may leave it waiting for ever
            _log.exception("fetching ended with a defect of the agent")
            failure = f"the agent failed: {type(error).__name__}"
        else:
            return
        await asyncio.to_thread(self._workspace.clear_folder)
        self._end_failed(failure)
        self._workspace.unmark()

    async def _fetch_algorithm(self, remote: RemoteSource) -> None:
        expected = self.manifest.algorithm.hash
        with self.incoming() as algorithm, self.incoming() as requirements:
            try:
                await self._fetcher.fetch_algorithm(remote, algorithm, requirements)
            except FetchFailed as error:
                raise FetchFailed(f"failed to download and decrypt algorithm: {error}") from error
            digest = algorithm.finish()
            requirements.finish()
            if digest != expected:
                raise FetchFailed(f"algorithm hash mismatch: expected {expected.hex()}, got {digest.hex()}")
            self._accept_algorithm(algorithm, requirements, remote.runtime or "", remote.arguments)

    async def _fetch_datasets(self) -> None:
        for dataset in self.manifest.datasets:
            if dataset.source is not None:
                await self._fetch_dataset(dataset, dataset.source)

    async def _fetch_dataset(self, dataset: ManifestDataset, remote: RemoteSource) -> None:
        with self.incoming() as fetched:
            try:
                await self._fetcher.fetch_dataset(remote, fetched)
            except FetchFailed as error:
                raise FetchFailed(
                    f"failed to download and decrypt dataset {dataset.filename}: {error}"
                ) from error
            digest = fetched.finish()
            if digest != dataset.hash:
                raise FetchFailed(
                    f"dataset {dataset.filename} hash mismatch: expected {dataset.hash.hex()}, got {digest.hex()}"
                )
            await self._accept_dataset(
                fetched, dataset.filename, lambda: dataset, decompress=remote.decompress
            )

    async def _run_to_the_end(self) -> None:
        self._announce(AgentState.RUNNING, EventStatus.IN_PROGRESS)
        try:
            result = await self._run_once()
        except RunFailed as error:
            self._fail(error.message)
        except Exception as error:  # noqa: BLE001  # the edge of a task: no defect may leave it running for ever
            _log.exception("the run ended with a defect of the agent")
            self._fail(f"the agent failed: {type(error).__name__}")
        else:
            self._result = result
            self._announce(AgentState.RUNNING, EventStatus.COMPLETED)
            details: dict[str, str | int] = {
                "result_sha3_256": result.sha3_256.hex(),
                "result_size_bytes": result.size_bytes,
            }
            self._enter(AgentState.CONSUMING_RESULTS, EventStatus.READY, details)
        self._workspace.unmark()

    async def _run_once(self) -> StoredResult:
        assert self._job is not None
        try:
            await self._runner.run(self._job, self._warn)
            return await asyncio.to_thread(
                store_result,
                self._workspace.results,
                self._workspace.archive,
                self._allowance.limits.result_bytes,
            )
        except OSError as error:
            raise RunFailed(f"the agent could not run the algorithm: {error.strerror}") from error
        finally:
            await asyncio.to_thread(self._workspace.clear_folder)

    def _fail(self, text: str) -> None:
        self._announce(AgentState.RUNNING, EventStatus.FAILED, {"error": text})
        self._end_failed(text)

    def _end_failed(self, text: str) -> None:
        self._failure = text
        self._enter(AgentState.FAILED, EventStatus.FAILED, {"error": text})

    def _warn(self) -> None:
        self._announce(ALGORITHM_RUN, EventStatus.WARNING)

    def _announce(
        self,
        event_type: AgentState | str,
        status: EventStatus,
        details: Mapping[str, str | int] | None = None,
    ) -> None:
        self._announcer.announce(self.manifest.id, event_type, status, details)
