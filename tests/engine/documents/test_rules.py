"""Every command of the page about rules, and its example of a stack file's section."""

from __future__ import annotations

from pathlib import Path

from prism_iac.rules import RULES
from prism_iac.spec import validate_stack
from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT, copy_checkout
from tests.engine.documents.shell import run_in_one_shell

BLOCKS = blocks_of(ROOT / "docs" / "rules.md")
READY = "make --silent setup\n. .prism/env.sh\n"


def test_the_commands_tell_the_rules_and_what_breaks_them(tmp_path: Path) -> None:
    commands = [block.text for block in BLOCKS if block.language == "sh"]
    _, *said = run_in_one_shell([READY, *commands], copy_checkout(tmp_path / "prism-iac"))
    assert [rule.name for rule in RULES if rule.name not in said[0]] == []
    assert "(advisory rule hardware-evidence)" in said[0]
    assert "stacks/prod.yaml: nothing is wrong" in said[0]


def test_the_example_is_a_section_of_a_stack_file(tmp_path: Path) -> None:
    (example,) = (block.text for block in BLOCKS if block.language == "yaml")
    stack = tmp_path / "prod.yaml"
    stack.write_text(f"environment: prod\nworkspace: research\n{example}", encoding="utf-8")
    assert validate_stack(stack) == ()
