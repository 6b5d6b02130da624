from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256

from prism_iac import attestation
from prism_iac.attestation._roots import trusted_roots
from prism_iac.pki import common_name_of, is_issued_by


def test_the_pinned_roots_are_those_of_the_table_beside_them() -> None:
    readme = Path(attestation.__file__).parent / "roots" / "README.md"
    table = dict(
        re.findall(r"^\| ([\w -]+?) \| `([0-9a-f]{64})` \|$", readme.read_text("utf-8"), re.MULTILINE)
    )
    found = {
        common_name_of(item).strip('"'): item.fingerprint(SHA256()).hex() for item in trusted_roots(None)
    }
    assert found == table
    # attestation.md sections 2.4 and 4.4.
    assert table["ARK-Milan"] == "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"
    assert table["ARK-Genoa"] == "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"
    assert table["ARK-Turin"] == "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"
    assert table["Intel SGX Root CA"] == "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"


def test_every_pinned_intermediate_leads_to_a_pinned_root() -> None:
    certificates = trusted_roots(None)
    roots = [item for item in certificates if is_issued_by(item, item)]
    assert len(roots) == 4
    assert all(any(is_issued_by(item, root) for root in roots) for item in certificates)
