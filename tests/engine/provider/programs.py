"""A program that several tests run."""

from __future__ import annotations

from typing import Final

__all__ = ["ONE_OF_EACH"]

ONE_OF_EACH: Final = """
    from pathlib import Path

    import prism_iac
    import pulumi

    ADA, GRACE = "ada@example.com", "grace@example.com"

    vm = prism_iac.ConfidentialVM("trainer")
    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider=ADA, file="numbers.txt", description="three numbers"
    )
    addition = prism_iac.Asset(
        "addition", asset_type="algorithm", provider=GRACE, file="addition.py", description="adds them"
    )
    computation = prism_iac.Computation(
        "sum",
        description="adds numbers",
        algorithm=addition.id,
        datasets=[numbers.id],
        result_consumers=[ADA],
    )
    keys = [
        prism_iac.PublicKey(
            f"key-{user}",
            computation=computation.id,
            user=f"{user}@example.com",
            key=Path(f"{user}.pub.pem").read_text(),
        )
        for user in ("ada", "grace")
    ]
    grant = prism_iac.Participant("eve", computation=computation.id, user="eve@example.com", actions=["edit"])
    prism_iac.ComputationRun(
        "first-run",
        computation=computation.id,
        vm=vm.id,
        triggers={"version": "1"},
        wait=False,
        stop_on_delete=True,
        opts=pulumi.ResourceOptions(depends_on=[*keys, grant]),
    )
"""
"""A VM, a computation with its assets, keys and a grant, and a run of it that waits for its uploads."""
