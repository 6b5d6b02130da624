from __future__ import annotations

from tests.contract.cli.command_line import CommandLine
from tests.contract.lifecycle.stage import Stage


def test_what_prism_issued_is_listed_renewed_and_revoked(line: CommandLine, stage: Stage) -> None:
    vm = stage.create("ConfidentialVM", "trainer", provider="external")
    serial = stage.workspace.certificates.issue(vm.id)
    name = str(vm.state.name)

    listed = {item["serial_number"]: item for item in line.json("certs", "list", "--vm", name)}
    assert listed[serial] == {
        "serial_number": serial,
        "vm": vm.id,
        "revoked": False,
        "expiry_time": listed[serial]["expiry_time"],
    }
    assert serial in line.out("certs", "list")

    renewed = line.run("certs", "renew", serial)
    assert (renewed.code, f"renewed {serial}: it ends on" in renewed.err) == (0, True)

    unasked = line.run("certs", "revoke", serial)
    assert unasked.code != 0
    assert not line.json("certs", "list", "--vm", name)[0]["revoked"]
    revoked = line.run("certs", "revoke", serial, serial, "--yes")
    assert (revoked.code, revoked.err.count(f"revoked {serial}")) == (0, 1)
    states = {item["serial_number"]: item["revoked"] for item in line.json("certs", "list", "--vm", name)}
    assert states[serial]

    late = line.run("certs", "renew", serial)
    assert (late.code, "revoked" in late.err) == (1, True)


def test_a_serial_number_that_nobody_issued_changes_nothing(line: CommandLine, stage: Stage) -> None:
    vm = stage.create("ConfidentialVM", "trainer", provider="external")
    serial = stage.workspace.certificates.issue(vm.id)
    refused = line.run("certs", "revoke", serial, "12345", "--yes")
    assert (refused.code, "no certificate with the serial number 12345" in refused.err) == (1, True)
    assert not any(item["revoked"] for item in line.json("certs", "list"))
