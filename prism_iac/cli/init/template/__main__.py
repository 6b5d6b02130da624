"""The platform program: deploys the stack file that is named like the Pulumi stack."""

import pulumi

import prism_iac

stack = prism_iac.StackFile(f"stacks/{pulumi.get_stack()}.yaml")
for name, value in stack.outputs.items():
    pulumi.export(name, value)
