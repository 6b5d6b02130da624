"""The page of the rules, whose table is made from the rules themselves."""

from __future__ import annotations

from typing import Final

from prism_iac.rules import RULES

__all__ = ["rules_page"]

_HEAD: Final = """\
# Rules

What an environment demands of its computations, besides being valid. `prism-iac validate` tells what breaks a
rule, with its place; `prism-iac plan` tells it beside the changes. What breaks a mandatory rule fails
`validate`; what breaks an advisory one is only told.

```sh
prism-iac rules list
prism-iac validate stacks/prod.yaml
```

## In a stack file

In an environment named `prod` each rule has the level of the table below. Elsewhere it is disabled until the
stack file asks for it. `rules:` sets levels and numbers, and waives a rule for one entry until a day:

```yaml
rules:
  strong-keys: {level: mandatory, parameters: {rsa_bits: 4096}}
  short-lives: {level: disabled}
  hardware-evidence:
    waivers:
      - {resource: vms.trainer, reason: the machines come in spring, by: ada, until: 2027-03-31}
```

A waiver that has expired is a mandatory finding of its own, and so is one that matches nothing: left there, it
would cover the next breach. A plan names what is waived, by whom, until when and why.

## By the engine

`policypack/` is a policy pack that is made of the same rules, so an update that breaks a mandatory one is refused
by the engine, whatever declares its resources. Levels, numbers and waivers are those of `stacks/<stack>.yaml`.
Rules that look at several entries at once, or at what the file does not say, are for `validate` and `plan` alone:
`measured-vms`, `pinned-assets`, `pinned-sources`, `pinned-keys` and `separate-consumers`.

```text
pulumi preview --policy-pack policypack
pulumi up --policy-pack policypack
```

## The rules

| rule | in `prod` | parameters | demands |
| --- | --- | --- | --- |
"""


def rules_page() -> str:
    """The text of `docs/rules.md`."""
    rows = (
        (
            f"`{rule.name}`",
            rule.level.value,
            ", ".join(f"`{name}: {value}`" for name, value in rule.parameters.items()),
            rule.description,
        )
        for rule in RULES
    )
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
