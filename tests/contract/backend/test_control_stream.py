"""The control stream with an agent on the other side: who may connect, and what becomes of runs."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from prism_iac.backend.store import cvms
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority
from tests.contract.backend.fake_agent import FakeAgent, Identity
from tests.contract.backend.live import QUICK, Live, eventually

Connect = Callable[..., FakeAgent]

DENIED = grpc.StatusCode.PERMISSION_DENIED


def test_a_cvm_is_online_from_the_connection_of_its_agent_on(live: Live, connect: Connect) -> None:
    cvm = live.lab.cvm()
    assert live.cvm(cvm)["status"] == "creating"
    connect(cvm, metadata=(("job-id", cvm), ("agent-address", "vm.example:6104")))
    record = live.wait_for_cvm(cvm, status="online", state="ReceivingManifest")
    assert record["agent_url"] == "vm.example:6104"
    (change,) = live.ada.ok("GET", f"{live.lab.cvms}/{cvm}/statistics")["cvm_stats"]
    assert change["status"] is True


@pytest.mark.parametrize("told", [(), (("agent-address", "no address"),)])
def test_without_a_usable_address_it_is_the_peers_host(
    live: Live, connect: Connect, told: tuple[tuple[str, str], ...]
) -> None:
    cvm, _ = live.ready_cvm(connect, metadata=told)
    assert live.cvm(cvm)["agent_url"] in ("127.0.0.1:7002", "[::1]:7002")


def test_a_cvm_has_so_many_streams(live: Live, connect: Connect) -> None:
    cvm, *_ = live.ready_cvm(connect)
    for _ in range(7):
        connect(cvm)
    eventually(lambda: live.streams() == 8)
    one_more = connect(cvm)
    assert one_more.wait(lambda agent: agent.ended) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        f"cvm {cvm} has 8 streams",
    )


def test_what_an_agent_says_is_cut_to_what_lists_can_show(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    agent.log(b"x" * 100_000, computation=computation, level="L" * 1000, at=time.time())
    agent.event("T" * 1000, "S" * 1000, computation=computation, details=b"d" * 100_000)
    level, message = eventually(lambda: live.logs(computation))[0]
    assert (len(level), len(message)) == (255, 16_384)
    eventually(lambda: len(live.events(computation)) == 2)
    assert max(len(word) for event in live.events(computation) for word in event) == 255


def test_an_agent_hears_nothing_while_what_it_said_is_not_written_down(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    live.wait_for_run(computation, status="running")
    agent.manifest()
    with live.prism.database.writing() as session:
        cvms.lock(session, cvm)
        agent.event("Running", "InProgress", computation=computation)
        eventually(live.unrecorded)
        asked = agent.asked
        threading.Event().wait(10 * QUICK.poll)
        assert agent.asked <= asked + 1, "one question may have been on its way"
    agent.wait(lambda agent: agent.asked > asked + 1)
    eventually(lambda: ("Running", "InProgress") in live.events(computation))


def test_the_report_of_an_agent_is_kept_and_gives_the_policy(
    live: Live, connect: Connect, snp_report: bytes
) -> None:
    cvm, _ = live.ready_cvm(connect, report=snp_report)
    eventually(lambda: live.cvm(cvm)["attestation"])
    assert base64.b64decode(live.cvm(cvm)["attestation"]) == snp_report
    policy = live.ada.ok("GET", f"{live.lab.cvms}/{cvm}/attestation_policy")["attestation_policy"]
    assert "measurement" in json.loads(base64.b64decode(policy))["policy"]


@pytest.fixture
def connect_in_clear(live: Live) -> Iterator[Callable[..., FakeAgent]]:
    agents: list[FakeAgent] = []

    def connect(cvm: str) -> FakeAgent:
        agents.append(live.agent_in_clear(metadata=(("job-id", cvm),) if cvm else ()))
        return agents[-1]

    yield connect
    for agent in agents:
        agent.close()


def test_an_agent_without_a_certificate_is_believed_at_the_insecure_port(
    live: Live, connect_in_clear: Connect
) -> None:
    cvm = live.lab.cvm()
    agent = connect_in_clear(cvm)
    live.wait_for_cvm(cvm, status="online", state="ReceivingManifest")
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    assert agent.manifest().id == computation
    live.ada.ok("GET", f"{live.lab.computations}/{computation}/stop")
    assert live.ada.delete(f"{live.lab.cvms}/{cvm}").status_code == 204
    assert agent.wait(lambda agent: agent.ended) == (DENIED, f"cvm is inactive: {cvm}")


@pytest.mark.parametrize(
    ("cvm", "reason"),
    [("", "an agent without a certificate says its cvm in the metadata job-id"), ("x", "cvm is inactive: x")],
)
def test_an_agent_that_names_no_vm_does_not_get_in_there(
    connect_in_clear: Connect, cvm: str, reason: str
) -> None:
    assert connect_in_clear(cvm).wait(lambda agent: agent.ended) == (DENIED, reason)


def test_a_private_key_does_not_go_over_a_connection_in_clear(live: Live, connect_in_clear: Connect) -> None:
    cvm = live.lab.cvm()
    agent = connect_in_clear(cvm)
    live.wait_for_cvm(cvm, status="online", state="ReceivingManifest")
    computation = live.lab.runnable(agent_config={"cert_file": "PEM", "server_key": "PEM"})
    live.lab.run(computation, cvm)
    live.wait_for_run(computation, status="failed")
    assert any("connected in clear" in text for _, text in live.logs(computation))
    assert agent.manifests == []


def test_a_peer_without_a_certificate_of_this_ca_does_not_get_in(live: Live, connect: Connect) -> None:
    cvm = live.lab.cvm()
    ours = live.identity(cvm)
    now = datetime.now(UTC)
    key = KeySpec(algorithm=KeyAlgorithm.ECDSA)
    other = Authority.create("other", key=key, now=now, validity=timedelta(days=1))
    leaf = other.issue(
        common_name=cvm, uris=[f"urn:prism:cvm:{cvm}"], key=key, now=now, validity=timedelta(days=1)
    )
    for stranger in (Identity(ours.ca), Identity(ours.ca, leaf.certificate_pem, leaf.key_pem)):
        agent = connect(cvm, identity=stranger)
        code, _ = agent.wait(lambda agent: agent.ended)
        assert code is grpc.StatusCode.UNAVAILABLE
    assert live.cvm(cvm)["status"] == "creating"


def test_a_forgotten_certificate_is_refused_as_an_inactive_cvm(live: Live, connect: Connect) -> None:
    cvm = live.lab.cvm()
    identity = live.identity(cvm)
    live.ada.ok("DELETE", live.lab.certs, params={"entity_id": cvm})
    agent = connect(cvm, identity=identity, metadata=(("job-id", cvm),))
    assert agent.wait(lambda agent: agent.ended) == (DENIED, f"cvm is inactive: {cvm}")


def test_a_job_id_that_is_not_the_certificates_cvm_is_refused(live: Live, connect: Connect) -> None:
    one, two = live.lab.cvm("one"), live.lab.cvm("two")
    agent = connect(one, metadata=(("job-id", two),))
    code, _ = agent.wait(lambda agent: agent.ended)
    assert code is DENIED
    assert live.cvm(one)["status"] == live.cvm(two)["status"] == "creating"


def test_the_stream_of_a_removed_cvm_ends_and_does_not_come_back(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    identity = live.identity(cvm)
    live.ada.ok("DELETE", f"{live.lab.cvms}/{cvm}")
    inactive = (DENIED, f"cvm is inactive: {cvm}")
    assert agent.wait(lambda agent: agent.ended) == inactive
    assert (agent.stops, agent.disconnections) == ([], [cvm])
    assert connect(cvm, identity=identity).wait(lambda agent: agent.ended) == inactive
    assert live.cvm(cvm)["status"] == "inactive"


def test_the_agent_of_a_removed_cvm_drops_the_results_that_it_has(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    agent.state = "ConsumingResults"
    live.wait_for_run(computation, status="completed")
    live.wait_for_cvm(cvm, state="ConsumingResults")
    live.ada.ok("DELETE", f"{live.lab.cvms}/{cvm}")
    assert agent.wait(lambda agent: agent.ended) == (DENIED, f"cvm is inactive: {cvm}")
    assert (agent.stops, agent.disconnections) == ([computation], [cvm])


def test_the_log_forwarder_of_a_removed_cvm_is_told_nothing(live: Live, connect: Connect) -> None:
    cvm, _ = live.ready_cvm(connect)
    forwarder = connect(cvm, metadata=(("job-id", cvm), ("connection-type", "log-forwarder")))
    forwarder.log(b"here", at=time.time())
    live.ada.ok("DELETE", f"{live.lab.cvms}/{cvm}")
    assert forwarder.wait(lambda agent: agent.ended) == (DENIED, f"cvm is inactive: {cvm}")
    assert (forwarder.stops, forwarder.disconnections) == ([], [])


def test_a_revoked_certificate_is_cut_off_while_a_newer_one_goes_on(live: Live, connect: Connect) -> None:
    cvm, old = live.ready_cvm(connect)
    (born,) = live.ada.ok("GET", live.lab.certs)["certificates"]
    serial = live.ada.ok("POST", f"{live.lab.certs}/issue/cvm/{cvm}", {})["serial_number"]
    old_identity = live.identity(cvm, born["serial_number"])
    new = connect(cvm, identity=live.identity(cvm, serial))
    new.wait(lambda agent: agent.asked)
    assert old.ended is None
    live.ada.ok("PATCH", f"{live.lab.certs}/{born['serial_number']}/revoke")
    revoked = (DENIED, f"certificate is revoked: {born['serial_number']}")
    assert old.wait(lambda agent: agent.ended) == revoked
    assert connect(cvm, identity=old_identity).wait(lambda agent: agent.ended) == revoked
    assert new.ended is None
    assert live.cvm(cvm)["status"] == "online"


def test_a_cvm_is_offline_when_its_agent_stays_away_and_online_again_when_it_returns(
    live: Live, connect: Connect
) -> None:
    cvm, agent = live.ready_cvm(connect)
    agent.close()
    assert live.cvm(cvm)["status"] == "online"
    live.wait_for_cvm(cvm, status="offline")
    connect(cvm)
    live.wait_for_cvm(cvm, status="online")
    changes = live.ada.ok("GET", f"{live.lab.cvms}/{cvm}/statistics")["cvm_stats"]
    assert [change["status"] for change in changes] == [True, False, True]


def test_a_short_absence_is_no_change(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    agent.close()
    connect(cvm).wait(lambda agent: agent.asked)
    over = time.monotonic() + 3 * QUICK.offline_grace
    eventually(lambda: time.monotonic() > over)
    (change,) = live.ada.ok("GET", f"{live.lab.cvms}/{cvm}/statistics")["cvm_stats"]
    assert change["status"] is True


def test_a_run_goes_from_manifest_to_results(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    run = live.lab.run(computation, cvm)
    request = agent.manifest()
    preview = live.ada.ok("GET", f"{live.lab.computations}/{computation}/manifest")
    assert list(request.algorithm.hash) == preview["algorithm"]["hash"]
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    for event_type, status in (
        ("ReceivingData", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        ("Running", "Completed"),
        ("ConsumingResults", "Ready"),
    ):
        agent.event(event_type, status, computation=computation)
    agent.state = "ConsumingResults"
    ended = live.wait_for_run(computation, status="completed")
    assert (ended["id"], ended["cvm_id"], ended["number"]) == (run, cvm, 1)
    assert ended["start_time"] < ended["end_time"]
    assert live.ada.ok("GET", f"{live.lab.computations}/{computation}")["status"] == "completed"
    assert live.events(computation) == [
        ("ReceivingAlgorithm", "InProgress"),
        ("ReceivingData", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        ("Running", "Completed"),
        ("ConsumingResults", "Ready"),
    ]
    assert len(agent.manifests) == 1
    assert agent.stops == []


def test_results_that_nobody_fetched_keep_the_cvm_from_the_next_run(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    first, second = live.lab.runnable("first"), live.lab.runnable("second")
    live.lab.run(first, cvm)
    agent.manifest()
    agent.state = "ConsumingResults"
    agent.event("ConsumingResults", "Ready", computation=first)
    live.wait_for_run(first, status="completed")
    refused = live.ada.post(f"{live.lab.computations}/{second}/run", params={"cvm": cvm})
    assert refused.status_code == 409
    assert "nobody has fetched" in refused.json()["error"]
    agent.state = "Complete"
    agent.event("Complete", "Completed", computation=first)
    live.wait_for_cvm(cvm, state="Complete")
    live.lab.run(second, cvm)
    assert agent.manifest(2).id == second
    assert agent.stops == [first]
    live.wait_for_run(second, status="running")


@pytest.mark.parametrize("details", [b'{"error": "exit status 3"}', b"", b"no json", b'{"error": 3}', b"[]"])
def test_a_failure_is_told_with_its_error_where_the_agent_gives_one(
    live: Live, connect: Connect, details: bytes
) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    agent.state = "Failed"
    agent.event("Failed", "Failed", computation=computation, details=details)
    live.wait_for_run(computation, status="failed")
    assert live.events(computation)[-1] == ("Failed", "Failed")
    assert live.logs(computation) == ([("error", "exit status 3")] if b"exit" in details else [])


def test_a_refused_manifest_fails_the_run_and_resets_the_agent(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect, error="bad certificate")
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    live.wait_for_run(computation, status="failed")
    assert live.events(computation) == [("Failed", "Failed")]
    assert live.logs(computation) == [("error", "the agent refused the computation: bad certificate")]
    event = live.ada.ok("GET", f"{live.lab.computations}/{computation}/status")
    assert "bad certificate" in json.loads(base64.b64decode(event["details"]))["error"]
    assert event["originator"] == "system"
    agent.wait(lambda agent: agent.stops == [computation])


def test_a_stop_reaches_the_agent_and_the_cvm_takes_the_next_run(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    live.ada.ok("GET", f"{live.lab.computations}/{computation}/stop")
    assert live.latest_run(computation)["status"] == "cancelled"
    agent.wait(lambda agent: agent.stops == [computation])
    live.wait_for_cvm(cvm, state="ReceivingManifest")
    live.lab.run(computation, cvm)
    agent.manifest(2)
    live.wait_for_run(computation, status="running", number=2)


@pytest.mark.fault(72)
def test_a_cancelled_run_is_not_completed_by_a_late_event(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    live.ada.ok("GET", f"{live.lab.computations}/{computation}/stop")
    agent.event("ConsumingResults", "Ready", computation=computation)
    eventually(lambda: ("ConsumingResults", "Ready") in live.events(computation))
    assert live.latest_run(computation)["status"] == "cancelled"


@pytest.mark.parametrize(("state", "status"), [("ConsumingResults", "completed"), ("Failed", "failed")])
def test_polling_finds_the_end_of_a_run_whose_events_are_lost(
    live: Live, connect: Connect, state: str, status: str
) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    agent.state = state
    live.wait_for_run(computation, status=status)


def test_a_manifest_that_gets_no_answer_is_sent_again(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect, accepts=False)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest(2)
    agent.accepts = True
    agent.manifest(3)
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    assert {request.id for request in agent.manifests} == {computation}


def test_an_agent_that_lost_the_computation_fails_the_run(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    agent.close()
    reborn = connect(cvm)
    live.wait_for_run(computation, status="failed")
    assert live.logs(computation) == [("error", "the agent restarted and lost the computation")]
    assert reborn.manifests == []


def test_a_log_forwarder_tells_and_is_told_nothing(live: Live, connect: Connect) -> None:
    cvm = live.lab.cvm()
    forwarder = connect(cvm, metadata=(("job-id", cvm), ("connection-type", "log-forwarder")))
    assert live.cvm(cvm)["status"] == "creating"
    agent = connect(cvm, metadata=(("job-id", cvm),))
    live.wait_for_cvm(cvm, status="online", state="ReceivingManifest")
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    forwarder.event("ConsumingResults", "Ready", computation=computation)
    forwarder.log(b"done", at=time.time())
    live.wait_for_run(computation, status="completed")
    eventually(lambda: ("info", "done") in live.logs(computation))
    assert (forwarder.asked, forwarder.manifests) == (0, [])
    agent.close()
    live.wait_for_cvm(cvm, status="offline")


def test_a_second_stream_that_never_answers_gets_no_manifest(live: Live, connect: Connect) -> None:
    # agents of 0.9 open a log stream that cannot be told from their own
    cvm = live.lab.cvm()
    mute = connect(cvm, silent=True)
    agent = connect(cvm)
    live.wait_for_cvm(cvm, status="online", state="ReceivingManifest")
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    mute.event("ConsumingResults", "Ready", computation=computation)
    live.wait_for_run(computation, status="completed")
    assert mute.manifests == []


def test_an_event_that_is_delivered_twice_is_kept_once(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    at = time.time()
    for _ in range(3):
        agent.event("Running", "Starting", computation=computation, at=at)
    agent.event("Running", "Starting", computation=computation, at=at + 1)
    agent.event("ConsumingResults", "Ready", computation=computation)
    live.wait_for_run(computation, status="completed")
    assert live.events(computation).count(("Running", "Starting")) == 2


def test_log_pieces_keep_their_order_and_their_characters(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    line = ("ä€😀" * 200).encode()
    at = time.time()
    for start in range(0, len(line), 500):
        agent.log(line[start : start + 500], computation=computation, level="DEBUG", at=at)
    agent.log(b"\xff\xfe", at=at + 1)
    logs = eventually(lambda: _if_longer(live.logs(computation), len(line) // 500 + 1))
    assert "".join(message for level, message in logs if level == "debug").encode() == line
    assert logs[-1] == ("info", "\ufffd\ufffd")


def _if_longer(items: list[tuple[str, str]], size: int) -> list[tuple[str, str]] | None:
    return items if len(items) > size else None


def test_a_flood_of_logs_is_kept_whole_and_in_order(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    at = time.time()
    for number in range(1500):
        agent.log(str(number).encode(), at=at)
    path = f"{live.lab.computations}/{computation}/logs"
    eventually(lambda: live.ada.ok("GET", path)["total"] == 1500)
    newest = live.ada.ok("GET", path, params={"limit": 100})["logs"]
    assert [int(log["message"]) for log in newest] == list(range(1499, 1399, -1))


def test_an_agent_cannot_write_into_computations_that_it_never_ran(live: Live, connect: Connect) -> None:
    _, agent = live.ready_cvm(connect)
    cvm, other = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    other.manifest()
    agent.event("Failed", "Failed", computation=computation)
    agent.log(b"forged", computation=computation, at=time.time())
    agent.wait(lambda agent: agent.asked)
    other.event("ConsumingResults", "Ready", computation=computation)
    live.wait_for_run(computation, status="completed")
    assert ("Failed", "Failed") not in live.events(computation)
    assert live.logs(computation) == []


def test_a_restart_in_mid_run_goes_on(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    live.stop()
    agent.wait(lambda agent: agent.ended)
    live.start()
    again = connect(cvm, state="Running")
    live.wait_for_cvm(cvm, state="Running")
    again.event("ConsumingResults", "Ready", computation=computation)
    live.wait_for_run(computation, status="completed", number=1)
    assert again.manifests == []


def test_after_a_restart_a_manifest_that_was_not_accepted_is_sent(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect, accepts=False)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    live.stop()
    live.start()
    again = connect(cvm)
    assert again.manifest().id == computation
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    assert live.latest_run(computation)["status"] == "running"


def test_a_run_that_began_while_nobody_listened_is_delivered_after_the_restart(
    live: Live, connect: Connect
) -> None:
    cvm, agent = live.ready_cvm(connect)
    agent.close()
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    live.stop()
    live.start()
    assert connect(cvm).manifest().id == computation


def test_a_stop_that_was_not_delivered_is_delivered_after_the_restart(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    computation = live.lab.runnable()
    live.lab.run(computation, cvm)
    agent.manifest()
    live.wait_for_cvm(cvm, state="ReceivingAlgorithm")
    live.stop()
    live.ada.ok("GET", f"{live.lab.computations}/{computation}/stop")
    live.start()
    again = connect(cvm, state="Running")
    again.wait(lambda agent: agent.stops == [computation])
    live.wait_for_cvm(cvm, state="ReceivingManifest")


def test_a_cvm_whose_agent_does_not_return_after_a_restart_is_offline(live: Live, connect: Connect) -> None:
    cvm, agent = live.ready_cvm(connect)
    live.stop()
    agent.close()
    assert live.cvm(cvm)["status"] == "online"
    live.start()
    live.wait_for_cvm(cvm, status="offline")
