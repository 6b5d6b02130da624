from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.exchange import Row, read_rows
from prism_iac.exchange._csv import COLUMNS

DIGEST = "5f0b4f5c0a7e1e0f7f3f3f4a2a0a6d2c9a1b8c7d6e5f4a3b2c1d0e9f8a7b6c5d"
MIB = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "computations"


def read(path: Path, text: str) -> list[Row]:
    path.write_bytes(text.encode())
    return list(read_rows(path))


def errors(rows: list[Row], path: Path) -> list[str]:
    return [str(finding).replace(str(path), "f") for row in rows for finding in row.errors]


def warnings(rows: list[Row], path: Path) -> list[str]:
    return [str(finding).replace(str(path), "f") for row in rows for finding in row.warnings]


def table(*rows: list[str]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()


def test_every_wrong_cell_of_a_table_is_told_with_row_line_and_column(path: Path) -> None:
    text = table(
        ["name", "description", "algorithm_provider", "algorithm_hash", "log_level"],
        ["first", "over\ntwo lines", "ada", DIGEST, "info"],
        ["", "a, b", "ada", "12", "debg"],
        ["third", "fine", "ada", DIGEST.upper(), "WARNING"],
        ["fourth", "", "ada", "34", ""],
    )
    rows = read(path, text)
    hint = "Compute it with `openssl dgst -sha3-256 FILE`."
    assert errors(rows, path) == [
        "f:4:1: row 2: name: must not be empty\n  Write a text.",
        f"f:4:13: row 2: algorithm_hash: must be a SHA3-256 digest: 64 hexadecimal characters\n  {hint}",
        'f:4:16: row 2: log_level: must be one of the known words, not "debg"\n  Did you mean "debug"?',
        "f:6:8: row 4: description: must not be empty\n  Write a text.",
        f"f:6:13: row 4: algorithm_hash: must be a SHA3-256 digest: 64 hexadecimal characters\n  {hint}",
    ]  # fmt: skip
    assert [row.definition.name for row in rows if row.definition] == ["first", "third"]


def test_a_column_that_nobody_knows_is_a_warning_with_the_nearest_one(path: Path) -> None:
    rows = read(path, "name,Description,algoritm_hash\nsum,adds,\n")
    assert warnings(rows, path) == [
        'f:1:18: the column "algoritm_hash" is not known\n  Did you mean "algorithm_hash"?'
    ]
    assert [row.definition.name for row in rows if row.definition] == ["sum"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nsum\n", "f:1:1: description: the column is missing\n  Name it in the first line."),
        ("", "f:1:1: description: the column is missing\n  Name it in the first line."),
        ("name,description,name\n", "f:1:18: name: the column is there twice\n  Remove one of them."),
        (
            "name,description\nsum\n",
            "f:2:1: row 1: has 1 cells, the header has 2\n  Put cells",
        ),
        (
            'name,description\n"sum,adds\n',
            "f:2:1: is no CSV: unexpected end of data\n  Correct it here; what follows is not read.",
        ),
        (
            f"name,description,dataset_providers,dataset_hashes\nsum,adds,ada;eve,{DIGEST}\n",
            "f:2:18: row 1: dataset_hashes: has 1 entries, dataset_providers has 2\n  Give one",
        ),
    ],
)  # fmt: skip
def test_a_table_that_is_none_says_where(path: Path, text: str, said: str) -> None:
    assert any(error.startswith(said) for error in errors(read(path, text), path))


def test_every_wrong_field_of_bundles_is_told_with_path_line_and_column(path: Path) -> None:
    text = f"""[
  {{"computation": {{"name": "a", "description": "b", "nam": 1}},
    "roles": [{{"role_name": "x", "actions": ["viw"], "members": ["ada"]}}]}},
  {{"computation": {{"name": "c", "description": "d"}},
    "assets": [{{"id": "1", "userid": "ada", "asset_type": "datset", "Checksum": "{DIGEST}"}}]}},
  {{"computation": {{"name": "e", "description": "f"}},
    "roles": [{{"role_name": "x", "members": ["ada"]}}, {{"role_name": "y", "members": ["ada"]}}]}}
]"""
    rows = read(path, text)
    assert errors(rows, path)[:2] == [
        'f:3:46: [0].roles[0].actions[0]: must be one of the known words, not "viw"\n  Did you mean "view"?',
        'f:5:59: [1].assets[0].asset_type: must be one of the known words, not "datset"\n  Did you mean "dataset"?',
    ]
    assert errors(rows, path)[2].startswith('f:7:14: [2].roles: "ada" holds two roles')
    assert warnings(rows, path) == [
        'f:2:53: [0].computation.nam: there is no field "nam" here\n  Did you mean "name"?'
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"name": "a", "description": "b"}\n {"name"', "f:2:2: is no JSON: expecting a comma or the end"),
        ('[{"name": "a", "description": }]', "f:1:32: is no JSON: expecting value"),
        ('[{"name": "a", "description": "b"}', "f:1:35: is no JSON: expecting a comma or the end"),
        ('{"name": "a", "description": "b"} 1', "f:1:35: is no JSON: something follows the end"),
        ('{"name": "a", "name": "b"}', 'f:1:1: is no JSON: an object has the name "name" twice'),
        ('{"name": "a", "Name": "b", "description": "c"}', 'f:1:1: "name" is given twice'),
        ('{"name": NaN}', "f:1:1: is no JSON: NaN is no JSON value"),
        ("[1]", "f:1:2: [0]: must be a mapping, not 1"),
        ("[" * 5000, "f:1:2: is no JSON: the value is too deep or too long"),
    ],
)
def test_json_that_is_none_says_where(path: Path, text: str, said: str) -> None:
    assert [error for error in errors(read(path, text), path) if error.startswith(said)]


def test_what_is_no_text_says_so(path: Path) -> None:
    for content in (b"name,description\n\xff,b\n", b'[{"name": "\xff"}]'):
        path.write_bytes(content)
        assert any("is no UTF-8 text" in error for error in errors(list(read_rows(path)), path))


def test_a_secret_is_not_shown(path: Path) -> None:
    rows = read(path, json.dumps({"name": "a", "description": "b", "agent_config": {"server_key": ["hush"]}}))
    assert any("server_key" in error for error in errors(rows, path))
    assert not any("hush" in error for error in errors(rows, path))


@given(st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "roles", "computation", "datasets", "description", "members"]), inner),
    max_leaves=8,
).map(json.dumps))  # fmt: skip
def test_whatever_a_file_holds_ends_in_findings(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f")
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        for row in read_rows(path):
            assert (row.definition is None) is bool(row.errors) or row.number == 0


@pytest.mark.parametrize("layout", ["csv", "json"])
def test_memory_does_not_grow_with_the_file(path: Path, layout: str) -> None:
    def peak(count: int) -> int:
        with path.open("w", encoding="utf-8") as file:
            if layout == "csv":
                file.write(",".join(COLUMNS) + "\n")
                file.writelines(
                    f",computation-{number},{'x' * 400}" + "," * 14 + "\n" for number in range(count)
                )
            else:
                one: dict[str, Any] = {"name": "computation", "description": "x" * 400}
                file.write("[" + ",\n".join(json.dumps(one) for _ in range(count)) + "]")
        tracemalloc.start()
        assert sum(row.definition is not None for row in read_rows(path)) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert path.stat().st_size < MIB
    assert peak(2_000) < MIB
