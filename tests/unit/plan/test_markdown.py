"""A comment shows what it is told, and obeys nothing of it."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from prism_iac.attestation.policy import Trust
from prism_iac.model import Change
from prism_iac.plan import (
    COMMENT_CHARACTERS,
    Consequence,
    Effect,
    FieldChange,
    Impact,
    Missing,
    Need,
    Plan,
    ResourceChange,
    RuleFinding,
    TrustShift,
    Upcoming,
    markdown_of,
    text_of,
)

OURS: Final = re.compile(r"</?(details|summary|code|b)>|<br>|<!-- -->")
NESTED: Final = {"link_open", "image", "code_inline", "fence", "code_block", "heading_open", "hr"}
SPITEFUL: Final = (
    "<script>alert(1)</script>",
    "</code></details><img src=x onerror=y>",
    "[a](https://evil.example)",
    "![a](https://evil.example/pixel.png)",
    "a | b | c",
    "`a` **b** _c_ ~~d~~",
    "# a\n\n- b\n> c",
    "@everyone and #1",
    "www.evil.example https://evil.example mailto:a@b.c",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe\x1b[31m\x07",
    "&lt;b&gt; &#60;",
    "\\<b>",
    "<!-- a",
    "-->",
    "$x$ :tada:",
)
FOREIGN: Final = st.one_of(st.sampled_from(SPITEFUL), st.text(max_size=60))


def plan_of(text: str) -> Plan:
    """A plan in which every foreign value is this one."""
    change = ResourceChange(
        effect=Effect.UPDATE,
        kind=text,
        name=text,
        urn=text,
        reasons=(text,),
        fields=(FieldChange(path=text, old=text, new=text, rule=Change.IN_PLACE),),
        consequences=tuple(Consequence(impact=impact, text=text, who=(text,)) for impact in Impact),
    )
    return Plan(
        stack=text,
        as_of=date(2026, 11, 26),
        errors=(text,),
        trust=(TrustShift(policy=text, field=text, trust=Trust.LOOSER, old=text, new=text, approval=text),),
        changes=tuple(
            change.model_copy(update={"effect": effect})
            for effect in (Effect.UPDATE, Effect.REPLACE, Effect.CREATE)
        ),
        missing=(Missing(need=Need.KEY, computation=text, message=text, who=text, next_step=text),),
        upcoming=(Upcoming(on=date(2026, 12, 1), days_left=5, event=text, of=text, next_step=text),),
        rules=(RuleFinding(rule=text, resource=text, message=text, waived=True, waiver=text),),
    )


def tokens(markdown: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        yield token
        yield from token.children or ()


def shape(plan: Plan) -> list[str]:
    """The structure of a comment, without its text."""
    return [token.type for token in tokens(markdown_of(plan)) if token.type not in ("text", "text_special")]


@pytest.mark.fault(68)
@given(FOREIGN)
def test_nothing_foreign_is_taken_for_markup(text: str) -> None:
    found = list(tokens(markdown_of(plan_of(text))))
    foreign = "".join(
        OURS.sub("", token.content) for token in found if token.type in ("html_inline", "html_block")
    )
    assert "<" not in foreign
    assert not NESTED.intersection(token.type for token in found) - {"heading_open"}
    headings = [token for token in found if token.type == "heading_open"]
    assert [token.tag for token in headings] == ["h3", *["h4"] * 6]


@pytest.mark.fault(68)
@pytest.mark.parametrize("text", SPITEFUL)
def test_a_spiteful_name_changes_nothing_of_the_structure(text: str) -> None:
    # One line each, as a harmless text is.
    lines = len([*filter(None, text.splitlines())])
    harmless = plan_of("harmless\nsecond\nthird" if lines == 3 else "harmless")
    assert [*filter(is_structure, shape(plan_of(text)))] == [*filter(is_structure, shape(harmless))]


def is_structure(token: str) -> bool:
    return token not in ("html_inline", "softbreak")


@given(FOREIGN)
def test_what_is_shown_is_what_was_told(text: str) -> None:
    shown = html.unescape(re.sub(r"<!-- -->|</?code>", "", markdown_of(plan_of(text))))
    printable = "".join(character if character.isprintable() else "\ufffd" for character in text)
    assert f"because {printable}" in shown


@given(FOREIGN)
def test_no_text_makes_cells_or_links_of_itself(text: str) -> None:
    told = markdown_of(plan_of(text))
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    assert {row.count("|") for row in rows} == {3, 5}
    assert not re.search(r"www\.|https?://", told, re.IGNORECASE)


@pytest.mark.parametrize("call", ["@ada", "#1", "GH@ada"])
def test_a_sentence_calls_nobody(call: str) -> None:
    plan = plan_of("x").model_copy(update={"errors": (), "changes": (), "missing": ()})
    (finding,) = plan.rules
    told = markdown_of(plan.model_copy(update={"rules": (finding.model_copy(update={"message": call}),)}))
    assert html.unescape(told).count("@<!-- -->") + html.unescape(told).count("#<!-- -->") == 1


@given(FOREIGN)
def test_a_terminal_is_told_nothing_to_obey(text: str) -> None:
    assert all(line.isprintable() for line in text_of(plan_of(text)).split("\n"))


def many(count: int, *, fields: int = 4) -> Plan:
    """A plan of very many resources, each with everything."""
    return Plan(
        stack="prod",
        as_of=date(2026, 11, 26),
        changes=tuple(
            ResourceChange(
                effect=Effect.REPLACE if number % 7 == 0 else Effect.UPDATE,
                kind="Computation",
                name=f"computation-{number:05}",
                urn=f"urn:pulumi:prod::shop::prism:index:Computation::computation-{number:05}",
                reasons=("another vcpus asks for another object",),
                fields=tuple(
                    FieldChange(path=f"field_{index}", old="a" * 64, new="b" * 64, rule=Change.FROZEN)
                    for index in range(fields)
                ),
                consequences=(
                    Consequence(impact=Impact.LOST, text="It goes.", who=(f"user-{number}@example.com",)),
                ),
            )
            for number in range(count)
        ),
    )


@pytest.mark.fault(68)
@pytest.mark.parametrize("count", [0, 1, 20, 60, 300, 1_000, 10_000])
def test_a_comment_fits_and_keeps_its_summary(count: int) -> None:
    plan = many(count)
    told = markdown_of(plan)
    assert len(told) <= COMMENT_CHARACTERS
    assert told.startswith("### Plan for <code>prod</code>")
    replaced = plan.count(Effect.REPLACE)
    assert (f"{replaced} replaced" in told) is bool(replaced)
    assert told.count("<details>") == told.count("</details>")
    shown = told.count("Computation computation-") - min(count, 6) - min(replaced, 6)
    dropped = re.search(r"does not fit: (\d+) lines", told)
    assert shown + int(dropped[1] if dropped else 0) == count
    # As much is told as fits.
    assert count < 60 or len(told) > COMMENT_CHARACTERS * 0.9


@given(st.integers(1, 40), st.integers(500, 20_000))
def test_details_go_before_lines_whatever_the_limit(count: int, limit: int) -> None:
    plan = many(count)
    told, head = markdown_of(plan, limit=limit), markdown_of(plan.model_copy(update={"changes": ()}))
    assert len(told) <= max(limit, len(head) + 2_000)
    found = re.search(r"does not fit: (\d+) lines, and the details of (\d+) changes", told)
    if found and int(found[1]):
        assert told.count("<details>") == 0 or int(found[1]) == 0


def test_a_comment_of_a_thousand_resources_is_there_in_200_ms() -> None:
    plan = many(1_000)
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        markdown_of(plan)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.2


def test_every_impact_that_asks_somebody_to_act_is_in_the_summary() -> None:
    told = text_of(plan_of("somebody")).partition("\n\n")[0]
    for words in chain(
        ("lost", "refused"), ("must agree again", "must upload", "must fetch", "have other rights")
    ):
        assert f"  {words}: " in told
