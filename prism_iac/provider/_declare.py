"""How a typed resource class declares itself to the engine."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Final, get_args

import pulumi
from pulumi.dynamic import ResourceProvider

from prism_iac._engine import NATIVE_TYPES
from prism_iac.provider._identity import identity_stem

__all__ = ["PRODUCTION", "PrismResource", "is_native", "native_face"]

PRODUCTION: Final = "prod"
"""The name of environments and stacks whose trust must not get looser unasked."""


_is_native: ContextVar[bool] = ContextVar("is_native", default=False)


@contextmanager
def native_face() -> Iterator[None]:
    """Declare what is declared within as resources of the native plugin, not as dynamic ones."""
    token = _is_native.set(True)
    try:
        yield
    finally:
        _is_native.reset(token)


def is_native() -> bool:
    """Whether resources are declared for the native plugin at the moment."""
    return _is_native.get()


class PrismResource(pulumi.dynamic.Resource, module="prism", name="PrismResource"):
    """The base of the resource classes: identity, secret marks and replacement order.

    Subclasses repeat the class keywords: the SDK does not hand them down.
    """

    output_names: ClassVar[frozenset[str]] = frozenset()
    """The attributes that a resource of the class has as outputs."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Leave the SDK the annotations that it acts on.

        It works them out anew for each resource, which takes a third of a declaration, to make whole numbers of
        the engine's floats.
        """
        super().__init_subclass__(**keywords)
        annotations = inspect.get_annotations(cls, eval_str=True)
        cls.output_names = frozenset(annotations)
        cls.__annotations__ = {name: kind for name, kind in annotations.items() if _has_whole_numbers(kind)}

    def __init__(  # what one declaration consists of
        self,
        provider: ResourceProvider,
        resource_name: str,
        inputs: Mapping[str, Any],
        *,
        outputs: Sequence[str],
        secret_outputs: Sequence[str] = (),
        deletes_first: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the resource.

        Args:
            provider: The face that serves the kind.
            resource_name: The logical name.
            inputs: The inputs by name; those that are None are left to their defaults.
            outputs: The names of the computed properties.
            secret_outputs: Those of them that are secret.
            deletes_first: A replacement deletes the old object before it makes the new one.
            opts: The caller's options.
        """
        given = {name: value for name, value in inputs.items() if value is not None}
        # What is not said yet, so that the resource has an output for each of its attributes.
        attributes = {*self.output_names, *outputs}
        absent = {name: None for name in (*inputs, *outputs) if name in attributes and name not in given}
        if is_native():
            self._declare_natively(resource_name, {**absent, **given}, opts)
            return
        parent = opts.parent if opts else None
        own = pulumi.ResourceOptions(
            additional_secret_outputs=list(secret_outputs), delete_before_replace=deletes_first or None
        )
        super().__init__(
            provider,
            resource_name,
            {**absent, **given, "identity": _identity(type(self), resource_name, parent)},
            own if opts is None else pulumi.ResourceOptions.merge(own, opts),
        )

    def _declare_natively(
        self, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        """Declare to the plugin, which answers for the rest: identity, secrets, order of replacement."""
        from prism_iac.model.resources import KINDS
        from prism_iac.model.wire import camel, to_wire

        kind = type(self).__name__
        properties = to_wire(KINDS[kind], inputs)
        pulumi.CustomResource.__init__(self, f"{NATIVE_TYPES}{kind}", resource_name, properties, opts)
        # The SDK has made attributes under the names of the wire.
        for name in inputs:
            self.__dict__[name] = self.__dict__.pop(camel(name))


def _has_whole_numbers(kind: Any) -> bool:
    return kind is int or any(map(_has_whole_numbers, get_args(kind)))


def _identity(cls: type[PrismResource], resource_name: str, parent: pulumi.Resource | None) -> str:
    """The first part of the identity: 12 hexadecimal characters of SHA3-256.

    Of what the URN is made of: project, stack, the parent's and the resource's own type and name. The
    parent's URN itself would make the resource depend on a parent that depends on it.
    """
    above = (parent.pulumi_resource_type, parent.pulumi_resource_name) if parent is not None else ()
    return identity_stem(
        pulumi.get_project(), pulumi.get_stack(), *above, cls._resource_type_name, resource_name
    )
