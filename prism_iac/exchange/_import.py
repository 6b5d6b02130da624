"""Brings computations from a file into a workspace: all is checked first, then made row by row (D60).

A computation that an import makes carries a mark of its row at the end of its description, as those of a
stack carry one of their resource. So the server's own record tells which rows are done, and which one was
cut off: an import that was killed goes on when it is run again, from any machine, and makes no row twice.
A journal beside the file could be lost or copied, and could not tell of a create whose reply was.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from prism_iac.errors import Finding
from prism_iac.exchange._access import Access, Members
from prism_iac.exchange._assets import WorkspaceAssets
from prism_iac.exchange._collected import Collected
from prism_iac.exchange._definition import PART_OF_KIND, AssetDefinition, Definition
from prism_iac.exchange._roles import bring_roles, fingerprint, roles_as_imported
from prism_iac.exchange._row import Row
from prism_iac.model import mark_of, marked, sha3_256, shown, unmarked
from prism_iac.prism import (
    AgentConfigRecord,
    ApiConflict,
    AssetContent,
    NotFound,
    PermissionDenied,
    Rejected,
)

if TYPE_CHECKING:
    from prism_iac.errors import PrismError
    from prism_iac.prism import AssetRecord, ComputationRecord

__all__ = ["Import", "Outcome", "Review", "without_pair"]

_AT_ONCE: Final = 8
"""How many rows are made at the same time."""


@dataclass(slots=True)
class Review:
    """What an import would do.

    Attributes:
        rows: The computations in the file.
        new: Those that are to be made.
        resumed: Those that an earlier import of this file began and did not finish.
        there: Those that an earlier import of this file made.
        new_assets: The assets that are to be made.
        errors: Why nothing can be imported.
        warnings: What is missing; the rest can be made without it.
    """

    rows: int = 0
    new: int = 0
    resumed: int = 0
    there: int = 0
    new_assets: int = 0
    errors: Collected = field(default_factory=Collected)
    warnings: Collected = field(default_factory=Collected)


@dataclass(slots=True)
class Outcome:
    """What an import did; fields as in `Review`.

    Attributes:
        refused: What Prism refused.
    """

    made: int = 0
    resumed: int = 0
    there: int = 0
    new_assets: int = 0
    refused: Collected = field(default_factory=Collected)

    def add(self, other: Outcome) -> None:
        """Count what was done besides."""
        self.made += other.made
        self.resumed += other.resumed
        self.there += other.there
        self.new_assets += other.new_assets
        self.refused.add(other.refused.kept)


@dataclass(frozen=True, slots=True)
class _Known:
    """A computation that is there.

    Attributes:
        mark: The mark in its description; empty when it has none.
        roles: A fingerprint of its roles; None when Prism does not tell them in lists.
    """

    id: str
    mark: str
    roles: int | None


class Import:
    """One import into one workspace.

    Args:
        access: The workspace, and whom one may act for there.
        without_certificates: Make agents whose private key is not in the file without TLS files.
    """

    def __init__(self, access: Access, *, without_certificates: bool = False) -> None:
        self._access = access
        self._without_certificates = without_certificates
        self._making = threading.Lock()

    def review(self, rows: Iterable[Row]) -> Review:
        """Check every row against itself, the others and the workspace; changes nothing."""
        review = Review()
        names: dict[bytes, int] = {}
        new_assets: set[bytes] = set()
        for row in rows:
            review.rows += 1 if row.number else 0
            review.errors.add(row.errors)
            review.warnings.add(row.warnings)
            if row.definition is None:
                continue
            key = sha3_256(row.definition.name.encode())[:16]
            first = names.setdefault(key, row.number)
            if first != row.number:
                message = f"the name {shown(row.definition.name)} is taken by row {first}"
                review.errors.add([row.finding_at("", message, "Names are unique in a workspace.")])
            self._count(row, row.definition, review)
            review.errors.add(self._without_key(row, row.definition))
            review.warnings.add(self._missing(row, row.definition, new_assets))
        review.new_assets = len(new_assets)
        return review

    def perform(self, rows: Iterable[Row], *, progress: Callable[[int], None] = lambda _: None) -> Outcome:
        """Make what the rows say; rows with errors are left out.

        Args:
            rows: Those that were reviewed, read again.
            progress: Takes the number of rows that are done.

        Raises:
            RemoteFailure: Prism does not answer, or lets this user do nothing; the next import goes on here.
        """
        _ = self._members, self._assets, self._known  # looked at once, before many threads do
        outcome = Outcome()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            brought = _in_order(pool, self._bring, (row for row in rows if row.number))
            for done, part in enumerate(brought, 1):
                outcome.add(part)
                progress(done)
        return outcome

    def bring_assets(self, assets: Iterable[AssetDefinition]) -> int:
        """Make sure that the workspace has assets, linked or not; gives how many were made."""
        outcome = Outcome()
        for asset in assets:
            self._bring_asset(asset, outcome)
        return outcome.new_assets

    @cached_property
    def _members(self) -> Members:
        return Members(self._access.members())

    @cached_property
    def _assets(self) -> WorkspaceAssets:
        return WorkspaceAssets(self._access.workspace)

    @cached_property
    def _known(self) -> dict[str, _Known]:
        computations = self._access.workspace.computations
        listed = computations.list(include=["roles"])
        return {record.name: _known(record) for record in listed}

    def _count(self, row: Row, definition: Definition, review: Review) -> None:
        known = self._known.get(definition.name)
        if known is None:
            review.new += 1
        elif known.mark != _mark(definition):
            review.errors.add(
                [
                    row.finding_at(
                        "",
                        f"there is another computation {shown(definition.name)} in the workspace, with the id {known.id}",
                        "Rename one of them, or delete the other one first.",
                    )
                ]
            )
        elif self._is_whole(known, definition):
            review.there += 1
        else:
            review.resumed += 1

    def _without_key(self, row: Row, definition: Definition) -> Iterator[Finding]:
        if _lacks_key(definition.agent) and not self._without_certificates:
            yield row.finding_at(
                "",
                "the agent's certificate has no private key: an export leaves it out unless it is asked for",
                "Export it with --with-keys, or import it with --without-certificates and give the agent others.",
            )

    def _missing(self, row: Row, definition: Definition, new_assets: set[bytes]) -> Iterator[Finding]:
        if _lacks_key(definition.agent) and self._without_certificates:
            yield row.finding_at(
                "", "its agent is made without certificates", "Give it others before it runs."
            )
        for user in definition.actions_by_user():
            if self._members.find(user) is None:
                yield row.finding_at(
                    user,
                    f"no member of the workspace is called {shown(user)}: they get no role",
                    self._members.advice(user),
                )
        for asset in definition.assets:
            if why := self._why_not(asset, definition, new_assets):
                yield row.finding_at(asset.id, *why)

    def _why_not(
        self, asset: AssetDefinition, definition: Definition, new_assets: set[bytes]
    ) -> tuple[str, str] | None:
        """Why an asset cannot be there and linked afterwards, and what to do; None when it can."""
        owner = self._members.find(asset.user)
        known = self._assets.match(asset, owner or "")
        if known is None:
            if why := _why_not_made(asset):
                return why
            if owner is None:
                return (
                    f"the asset is not in the workspace, and its provider {shown(asset.user)} is no member",
                    self._members.advice(asset.user),
                )
            facts = (asset.kind, owner, asset.checksum, asset.file_name, asset.source)
            new_assets.add(sha3_256(repr(facts).encode())[:16])
        elif not asset.linked:
            return None
        provider = known.user_id if known else owner
        if provider and self._access.acting_for(provider) is None:
            act = "linked" if known else "made"
            return (
                f"the asset is not {act}: only its provider {shown(asset.user or provider)} can do that",
                "Let them do it.",
            )
        kind = known.asset_type if known else asset.kind
        if asset.linked and kind and provider:
            action = PART_OF_KIND[kind]
            if provider not in {self._members.find(user) for user in definition.users_with(action)}:
                return (
                    f"the asset is not linked: its provider does not hold the action {action}",
                    f"Give {shown(asset.user or provider)} a role with it.",
                )
        return None

    def _is_whole(self, known: _Known, definition: Definition) -> bool:
        wanted = roles_as_imported(definition.roles, self._members.find, self._access.user_id)
        linked = {record.id for record in self._assets.linked_to(known.id)}
        return known.roles == fingerprint(wanted) and all(
            self._is_brought(asset, definition, linked) for asset in definition.assets
        )

    def _is_brought(self, asset: AssetDefinition, definition: Definition, linked: set[str]) -> bool:
        """Whether nothing is left that could be done for an asset."""
        owner = self._members.find(asset.user)
        record = self._assets.match(asset, owner or "")
        if record is None:
            return bool(_why_not_made(asset)) or owner is None or self._access.acting_for(owner) is None
        return not asset.linked or record.id in linked or not self._may_link(record, definition)

    def _bring(self, row: Row) -> Outcome:
        outcome = Outcome()
        if row.definition is not None:
            self._bring_definition(row, row.definition, outcome)
        return outcome

    def _bring_definition(self, row: Row, definition: Definition, outcome: Outcome) -> None:
        known = self._known.get(definition.name)
        if known is not None and known.mark != _mark(definition):
            return
        if known is not None and self._is_whole(known, definition):
            outcome.there += 1
            return
        try:
            computation_id = known.id if known else self._create(definition)
        except (ApiConflict, Rejected) as error:
            outcome.refused.add([row.finding_at("", _sentence(error), error.next_step)])
            return
        if known is None:
            outcome.made += 1
        else:
            outcome.resumed += 1
        try:
            self._complete(definition, computation_id, outcome, is_new=known is None)
        except (ApiConflict, Rejected, NotFound, PermissionDenied) as error:
            outcome.refused.add([row.finding_at("", _sentence(error), error.next_step)])

    def _create(self, definition: Definition) -> str:
        return self._access.workspace.computations.create(
            name=definition.name,
            description=marked(definition.description, _identity(definition)),
            agent_config=without_pair(definition.agent),
            idempotency_key=_mark(definition),
        )

    def _complete(
        self, definition: Definition, computation_id: str, outcome: Outcome, *, is_new: bool
    ) -> None:
        bring_roles(
            self._access.workspace.roles,
            computation_id,
            roles_as_imported(definition.roles, self._members.find, self._access.user_id),
            is_new=is_new,
            owner_id=self._access.user_id,
        )
        for asset in definition.assets:
            record = self._bring_asset(asset, outcome)
            if record is not None and asset.linked and self._may_link(record, definition):
                provider = self._access.acting_for(record.user_id)
                if provider is not None:
                    provider.assets.link(record.id, computation_id)

    def _may_link(self, record: AssetRecord, definition: Definition) -> bool:
        """Whether the provider of an asset gets the role for it, and may be acted for."""
        if record.asset_type is None or self._access.acting_for(record.user_id) is None:
            return False
        providers = definition.users_with(PART_OF_KIND[record.asset_type])
        return record.user_id in {self._members.find(user) for user in providers}

    def _bring_asset(self, asset: AssetDefinition, outcome: Outcome) -> AssetRecord | None:
        owner = self._members.find(asset.user)
        # Two rows that need the same asset at the same moment make it once.
        with self._making:
            record = self._assets.match(asset, owner or "")
            if record is None and owner is not None and not _why_not_made(asset):
                record = self._make(asset, owner, outcome)
                outcome.new_assets += 1 if record else 0
        return record

    def _make(self, asset: AssetDefinition, owner: str, outcome: Outcome) -> AssetRecord | None:
        provider = self._access.acting_for(owner)
        if provider is None or asset.kind is None:
            return None
        content = AssetContent(
            asset_type=asset.kind,
            description=asset.description,
            checksum=asset.checksum,
            file_name=asset.file_name,
            mime_type=asset.mime_type,
            sample=asset.sample or None,
            source=asset.source,
        )
        record = provider.assets.get(provider.assets.create(content, idempotency_key=_asset_key(asset)))
        if record.source != asset.source:
            provider.assets.delete(record.id)
            outcome.refused.add([_no_sources(asset)])
            return None
        self._assets.add(record)
        return record


def _in_order(
    pool: ThreadPoolExecutor, bring: Callable[[Row], Outcome], rows: Iterable[Row]
) -> Iterator[Outcome]:
    """What comes of each row, in their order; no more rows are read than are on their way."""
    waiting: deque[Future[Outcome]] = deque()
    for row in rows:
        waiting.append(pool.submit(bring, row))
        if len(waiting) == 2 * _AT_ONCE:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _lacks_key(agent: AgentConfigRecord) -> bool:
    return bool(agent.cert_file) and not agent.server_key


def without_pair(agent: AgentConfigRecord) -> AgentConfigRecord:
    """The same without a certificate that has no key; what secures it by evidence alone stays."""
    if not _lacks_key(agent):
        return agent
    if agent.attested_tls:
        return replace(agent, cert_file="")
    return AgentConfigRecord(log_level=agent.log_level)


def _why_not_made(asset: AssetDefinition) -> tuple[str, str] | None:
    if asset.kind is None:
        return f"there is no asset {shown(asset.id)} in the workspace", "Let its provider make it first."
    if not (asset.description and asset.checksum):
        return (
            f"no {asset.kind} of {shown(asset.user)} in the workspace has the digest {shown(asset.checksum)}",
            "Let its provider make the asset first; a bundle with its description makes it here.",
        )
    return None


def _known(record: ComputationRecord) -> _Known:
    roles = None if record.roles is None else fingerprint(record.roles)
    return _Known(record.id, unmarked(record.description)[1] or "", roles)


def _identity(definition: Definition) -> str:
    return f"import {definition.digest()}"


def _mark(definition: Definition) -> str:
    return mark_of(_identity(definition))


def _asset_key(asset: AssetDefinition) -> str:
    facts = f"import {asset.kind} {asset.checksum} {asset.file_name} {asset.description}"
    return mark_of(f"{facts} {json.dumps(asset.source.to_json())}" if asset.source else facts)


def _no_sources(asset: AssetDefinition) -> Finding:
    return Finding(
        path=asset.id,
        message=f"the asset {shown(asset.file_name)} is not made: this Prism keeps no sources",
        fix="Remove its `source` from the file, and let its provider upload it to each run.",
    )


def _sentence(error: PrismError) -> str:
    return f"Prism refused it: {error.message}"
