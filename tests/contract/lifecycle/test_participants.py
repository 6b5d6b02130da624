"""Grants and keys of participants against the real backend."""

from __future__ import annotations

import hashlib

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, parse_public_key
from tests.contract.lifecycle.stage import ADA, EVE, Stage, roles_of


def public_key() -> str:
    return generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode()


class TestParticipant:
    def test_gets_a_role_with_the_actions(self, stage: Stage) -> None:
        computation = stage.computation()
        grant = stage.create("Participant", "eve", computation=computation.id, user=EVE, actions=["runner"])
        assert grant.state.role == "runner"
        assert roles_of(stage, computation)[EVE] == "runner"

    def test_keeps_the_actions_of_the_definition(self, stage: Stage) -> None:
        computation = stage.computation(result_consumers=[ADA])
        stage.create("Participant", "ada", computation=computation.id, user=ADA, actions=["edit"])
        assert roles_of(stage, computation)[ADA] == "edit+result_consumer"

    def test_loses_what_is_no_longer_asked_for(self, stage: Stage) -> None:
        computation = stage.computation()
        grant = stage.create(
            "Participant", "e", computation=computation.id, user=EVE, actions=["edit", "run"]
        )
        stage.update(grant, actions=["edit"])
        assert roles_of(stage, computation)[EVE] == "editor"

    def test_a_delete_leaves_the_definition(self, stage: Stage) -> None:
        computation = stage.computation(result_consumers=[ADA])
        grant = stage.create("Participant", "ada", computation=computation.id, user=ADA, actions=["edit"])
        stage.delete(grant)
        assert roles_of(stage, computation)[ADA] == "result_consumer"

    def test_a_delete_without_a_definition_leaves_nothing(self, stage: Stage) -> None:
        computation = stage.computation()
        grant = stage.create("Participant", "eve", computation=computation.id, user=EVE, actions=["view"])
        stage.delete(grant)
        assert EVE not in roles_of(stage, computation)

    def test_may_not_be_given_a_part_of_the_definition(self, stage: Stage) -> None:
        with pytest.raises(
            InvalidInput, match="result_consumer follows from the computation's own definition"
        ):
            stage.check("Participant", "p", computation="c", user=EVE, actions=["result_consumer"])

    def test_an_action_taken_behind_the_back_is_drift(self, stage: Stage) -> None:
        computation = stage.computation()
        grant = stage.create(
            "Participant", "e", computation=computation.id, user=EVE, actions=["edit", "run"]
        )
        (role,) = (r for r in stage.workspace.roles.list(computation.id) if r.name == "edit+run")
        stage.workspace.roles.remove_actions(computation.id, role.id, ["edit"])
        assert stage.drift(grant) == {"actions": (["edit", "run", "view"], ["run", "view"])}

    def test_is_gone_with_its_computation(self, stage: Stage) -> None:
        computation = stage.computation()
        grant = stage.create("Participant", "eve", computation=computation.id, user=EVE, actions=["view"])
        stage.delete(computation)
        assert stage.read(grant) is None

    def test_the_owner_stays_administrator_while_a_part_is_added(self, stage: Stage) -> None:
        owner = stage.session.platform_user.email
        computation = stage.computation(result_consumers=[owner])
        (role,) = (r for r in stage.workspace.roles.list(computation.id) if r.name == "owner")
        assert {"administrator", "result_consumer"} <= set(role.actions)


class TestPublicKey:
    def test_is_registered_for_its_user(self, stage: Stage) -> None:
        computation = stage.computation(result_consumers=[ADA])
        stage.create("PublicKey", "ada", computation=computation.id, user=ADA, key=public_key())
        as_ada = stage.session.acting_for(ADA, stage.workspace_name).computations
        assert as_ada.has_key(computation.id)
        assert not stage.workspace.computations.has_key(computation.id)

    def test_has_the_fingerprint_of_its_der(self, stage: Stage) -> None:
        computation, key = stage.computation(result_consumers=[ADA]), public_key()
        found = stage.create("PublicKey", "ada", computation=computation.id, user=ADA, key=key)
        assert found.state.fingerprint == hashlib.sha256(parse_public_key(key)).hexdigest()

    def test_a_private_key_is_refused_before_any_call(self, stage: Stage) -> None:
        private = generate_key_pair(KeyAlgorithm.ED25519).private_pem.decode()
        with pytest.raises(InvalidInput) as refusal:
            stage.check("PublicKey", "k", computation="c", key=private)
        assert private.splitlines()[1] not in str(refusal.value)

    def test_is_gone_with_its_computation(self, stage: Stage) -> None:
        computation = stage.computation(result_consumers=[ADA])
        key = stage.create("PublicKey", "ada", computation=computation.id, user=ADA, key=public_key())
        stage.delete(computation)
        assert stage.read(key) is None
