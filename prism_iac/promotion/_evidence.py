"""What the state of an environment tells of the run that has proven a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prism_iac.errors import Conflict, InvalidInput
from prism_iac.model import ComputationStatus, Manifest
from prism_iac.spec.promotions import Evidence

__all__ = ["find_evidence"]

_COMPUTATION: Final = "Computation"
_RUN: Final = "ComputationRun"


def find_evidence(
    resources: Iterable[Mapping[str, Any]],
    name: str,
    manifest_sha3_256: str,
    *,
    environment: str,
    now: datetime,
    max_age: timedelta,
) -> tuple[Manifest, Evidence]:
    """The manifest that was run, and the completed run that has proven it.

    The state has the manifest of the computation, whose portable form must be the one that is pinned, and the
    run with the digest of what was run, which must be of that manifest.

    Args:
        resources: Of the exported state; both faces are understood.
        name: The computation.
        manifest_sha3_256: What the lock of the environment pins.
        environment: Its name, which is that of the Pulumi stack.
        now: Aware.
        max_age: How long ago the run may have ended.

    Raises:
        Conflict: There is no such run; says what is there.
    """
    known = [*resources]
    refresh = f"Run `pulumi refresh --stack {environment}` and try again."
    computation = next(
        (outputs for outputs in _outputs(known, _COMPUTATION) if outputs.get("name") == name), None
    )
    if computation is None:
        raise _never_ran(name, environment, "the state has no such computation")
    manifest = _manifest_of(computation)
    if manifest is None or manifest.portable().digest().hex() != manifest_sha3_256:
        raise _never_ran(
            name,
            environment,
            "the lock pins another manifest than the state has",
            f"Run `pulumi up --stack {environment}`, let it run, and refresh: keys that came later are not seen before.",
        )
    run = next(
        (outputs for outputs in _outputs(known, _RUN) if outputs.get("computation") == computation["id"]),
        None,
    )
    if run is None:
        raise _never_ran(name, environment, "the state has no run of it")
    if run.get("manifestsha3256") != manifest.digest().hex():
        raise _never_ran(name, environment, f"run #{_number(run)} was of another manifest", refresh)
    if run.get("status") != ComputationStatus.COMPLETED:
        status = run.get("status")
        raise _never_ran(
            name, environment, f"run #{_number(run)} is {status} as far as the state knows", refresh
        )
    ended = _moment(run.get("endtime"))
    if ended is None:
        raise _never_ran(name, environment, f"the state does not say when run #{_number(run)} ended", refresh)
    if now - ended > max_age:
        raise Conflict(
            f"run #{_number(run)} ended {_text(ended)}, and only what ended since {_text(now - max_age)} counts",
            where=f"{environment}: {name}",
            next_step="Run it again, or allow more with --max-age.",
        )
    return manifest, Evidence(
        run=run["id"],
        number=_number(run),
        manifest_sha3_256=run["manifestsha3256"],
        result_sha3_256=run.get("resultsha3256"),
        ended=run["endtime"],
    )


def _outputs(resources: Iterable[Mapping[str, Any]], kind: str) -> Iterable[dict[str, Any]]:
    """The outputs of the resources of a kind, by names without case and underscores, with the id."""
    for resource in resources:
        if str(resource.get("type", "")).rpartition(":")[2] == kind and not resource.get("delete"):
            outputs = resource.get("outputs") or {}
            yield {name.replace("_", "").lower(): value for name, value in outputs.items()} | {
                "id": resource.get("id")
            }


def _manifest_of(computation: Mapping[str, Any]) -> Manifest | None:
    try:
        return Manifest.parse(computation["manifest"])
    except (KeyError, TypeError, InvalidInput):
        return None


def _number(run: Mapping[str, Any]) -> int:
    return int(run.get("number") or 0)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _never_ran(name: str, environment: str, detail: str, next_step: str = "") -> Conflict:
    return Conflict(
        f"what the lock pins has not completed a run: {detail}",
        where=f"{environment}: {name}",
        next_step=next_step or f"Let it run in {environment} first.",
    )
