from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from prism_iac.exchange import AssetDefinition, Definition, RoleDefinition, stack_file
from prism_iac.model import Action, AssetKind, RemoteSource, TlsMode
from prism_iac.spec import load_stack, validate_stack
from tests.unit.exchange.drawn import USERS, definitions

ALGORITHM = AssetDefinition(
    "a",
    kind=AssetKind.ALGORITHM,
    user=USERS[0],
    checksum="ab" * 32,
    description="d",
    source=RemoteSource(
        url=f"docker://registry.example.com/lab/fit@sha256:{'ab' * 32}", runtime="wasm", arguments=["--fast"]
    ),
    linked=True,
)
READER = RoleDefinition("reader", (Action.RESULT_CONSUMER, Action.VIEW), (USERS[1],))


def complete(definition: Definition, number: int) -> Definition:
    """The same with a name and parts as a stack wants them."""
    assets = [
        replace(a, checksum=a.checksum or "cd" * 32) for a in definition.assets if a.kind is AssetKind.DATASET
    ]
    roles = [
        replace(role, members=tuple(user for user in role.members if user not in READER.members))
        for role in definition.roles
    ]
    return Definition.of(
        name=f"c{number}", description=definition.description, agent=definition.agent,
        roles=(*roles, READER), assets=(*assets, ALGORITHM), origin=definition.origin,
    )  # fmt: skip


@given(st.lists(definitions(), max_size=3))
def test_a_stack_file_says_what_the_computations_are(found: list[Definition]) -> None:
    found = [complete(definition, number) for number, definition in enumerate(found)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dev.yaml")
        written = stack_file(found, environment="dev", workspace="0x10", endpoint="embedded", name_of=str)
        path.write_text(written.text, encoding="utf-8")
        validate_stack(path)
        stack = load_stack(path)
    secured = [d for d in found if d.agent.tls_mode is TlsMode.NONE]
    assert written.computations == tuple(d.name for d in secured)
    assert len(written.left_out) == len(found) - len(secured)
    assert stack.workspace == "0x10"
    for definition in secured:
        entry = stack.computations[definition.name]
        assert entry.description == definition.description
        assert entry.agent.log_level == definition.agent.log_level
        assert {c.user for c in entry.result_consumers} == set(definition.users_with(Action.RESULT_CONSUMER))
        assert {written.assets[a.name] for a in (entry.algorithm, *entry.datasets)} == {
            a.id for a in definition.linked
        }
        for asset in (entry.algorithm, *entry.datasets):
            (meant,) = (a for a in definition.linked if a.id == written.assets[asset.name])
            assert (asset.kind, asset.provider.user, asset.checksum, asset.source) == (
                meant.kind,
                meant.user,
                meant.checksum,
                meant.source,
            )
        granted = {grant.participant.user: set(grant.actions) for grant in entry.grants}
        for user, actions in definition.actions_by_user().items():
            rest = actions - {
                Action.ALGO_PROVIDER,
                Action.DATASET_PROVIDER,
                Action.RESULT_CONSUMER,
                Action.VIEW,
            }
            assert granted.get(user, {Action.VIEW}) - {Action.VIEW} == rest


def test_what_a_stack_cannot_say_is_told() -> None:
    bare = Definition.of(name="a b", description="d", agent=Definition("", "").agent, roles=[], assets=[])
    cases = [
        (bare, "no algorithm is linked to it"),
        (replace(bare, assets=(ALGORITHM,)), "nobody may read its result"),
        (replace(bare, assets=(ALGORITHM,), roles=(READER,)), '"a b" is no name'),
    ]
    for definition, why in cases:
        written = stack_file([definition], environment="dev", workspace="w", endpoint="embedded", name_of=str)
        assert written.left_out == (f"a b: left out, {why}",)
