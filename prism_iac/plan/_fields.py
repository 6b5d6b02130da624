"""Which fields of a resource differ, down to the innermost, and how each may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prism_iac.model import UNKNOWN, Change, Location, Unknown, contains_unknown, is_secret, path_text
from prism_iac.model.resources import KINDS, ResourceModel
from prism_iac.plan._plan import FieldChange
from prism_iac.plan._preview import Resource, Secret, plain
from prism_iac.plan._shown import Shower

__all__ = ["field_changes"]


def field_changes(
    resource: Resource, changed: Iterable[str], show: Shower, name_of: Callable[[str], str]
) -> Iterator[FieldChange]:
    """The innermost fields that differ.

    Args:
        resource: What changes.
        changed: The inputs that differ.
        show: Shows a value.
        name_of: Names a resource by its URN.
    """
    model = KINDS.get(resource.kind) if resource.is_ours else None
    old, new = resource.state or {}, resource.new or {}
    for name in changed:
        rule = _rule(model, resource, name)
        source = " and ".join(sorted(map(name_of, resource.uses.get(name, ()))))
        for location, before, after in _leaves((name,), old.get(name), new.get(name)):
            hidden = model is not None and is_secret(model, location)
            yield FieldChange(
                path=path_text(location),
                old=None if before is None else show(before, is_secret=hidden),
                new=None if after is None else show(after, is_secret=hidden, source=source),
                rule=rule,
                secret=hidden or isinstance(before, Secret) or isinstance(after, Secret),
                is_open=contains_unknown(after),
            )


def _rule(model: type[ResourceModel] | None, resource: Resource, name: str) -> Change:
    if model is not None and name in model.model_fields:
        return model.rules()[name].change
    return Change.REPLACE if name in resource.replaces else Change.IN_PLACE


def _leaves(location: Location, old: Any, new: Any) -> Iterator[tuple[Location, Any, Any]]:
    if plain(old) == plain(new):
        return
    if _is_inner(old) and _is_inner(new) and (old or new):
        before, after = old or {}, new or {}
        # What a model derives is not there while what it derives it from is not known.
        is_open = any(isinstance(value, Unknown) for value in after.values())
        for name in sorted({*before, *after}):
            value = after.get(name, UNKNOWN if is_open else None)
            yield from _leaves((*location, name), before.get(name), value)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _leaves((*location, index), before, after)
    else:
        yield location, old, new


def _is_inner(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)
