"""A policy file in whichever form it lies there, kept to the byte unless it is edited.

Source: attestation.md sections 5.1 (JSON), 5.2 (CoRIM, signed or not) and 5.4 (AMD's profile).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.policy._corim import Corim
from prism_iac.attestation.policy._cose import SIGN1_PREFIX, SignedMessage, sign_corim
from prism_iac.attestation.policy._from_corim import from_corim, is_profiled
from prism_iac.attestation.policy._names import CorimNames
from prism_iac.attestation.policy._to_corim import to_corim
from prism_iac.errors import Conflict
from prism_iac.pki import PrivateKey

__all__ = ["PolicyFile", "PolicyForm"]


class PolicyForm(StrEnum):
    """How a policy is written."""

    JSON = "json"
    """For `cocos-cli` to 0.8, and for Prism."""
    CORIM = "corim"
    """For `cocos-cli` from 0.9 on."""
    CORIM_AMD = "corim-amd"
    """By the profile of AMD's draft; `cocos-cli` does not read it."""


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy, and how it is written.

    Attributes:
        document: What it says; of a CoRIM in canonical JSON.
        form: How it is written.
        names: Those of a CoRIM; None for JSON.
        signed: The message around a CoRIM; None when it is not signed.
    """

    document: PolicyDocument
    form: PolicyForm
    names: CorimNames | None = None
    signed: SignedMessage | None = None
    _data: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, data: bytes) -> PolicyFile:
        """The policy in a file's bytes; its form shows in them (attestation.md sections 5.1 and 5.2).

        A signature is read, not verified: that is for who knows the key, with `signed.verify`.

        Raises:
            InvalidInput: It has none of the forms, or a part of it is not understood.
        """
        if data.lstrip().startswith(b"{"):
            return cls(PolicyDocument.parse(data), PolicyForm.JSON, _data=data)
        signed = SignedMessage.parse(data) if data.startswith(SIGN1_PREFIX) else None
        corim = Corim.decode(signed.payload if signed else data)
        document, names = from_corim(corim)
        form = PolicyForm.CORIM_AMD if is_profiled(corim) else PolicyForm.CORIM
        return cls(document, form, names, signed, data)

    @classmethod
    def make(
        cls, document: PolicyDocument, form: PolicyForm, *, names: CorimNames | None = None
    ) -> PolicyFile:
        """A file that says what a document does (attestation.md sections 5.1, 5.2 and 5.4).

        Args:
            document: The policy; JSON keeps its bytes.
            form: How it is to be written.
            names: Those of a CoRIM; made from what the policy says when there are none.

        Raises:
            InvalidInput: A field cannot be read, or the form cannot hold the policy.
        """
        if form is PolicyForm.JSON:
            return cls(document, form, _data=document.to_bytes())
        corim = to_corim(document, names=names, is_profile=form is PolicyForm.CORIM_AMD)
        return cls.parse(corim.encode())

    def to_bytes(self) -> bytes:
        """The file's bytes: those that were read, unless it was made or edited here."""
        return self._data

    def converted(self, form: PolicyForm) -> PolicyFile:
        """The same policy in another form, unsigned; JSON in the form of `cocos-cli` (section 5.1).

        Raises:
            InvalidInput: The form cannot hold the policy.
        """
        document = canonical_policy(self.document) if form is PolicyForm.JSON else self.document
        return PolicyFile.make(document, form)

    def with_document(self, document: PolicyDocument) -> PolicyFile:
        """The file with another policy in it; form and names stay.

        Raises:
            Conflict: The file is signed.
            InvalidInput: The form cannot hold the policy.
        """
        if self.signed:
            raise Conflict(
                "the policy is signed, and an edit would break the signature",
                next_step="Write it unsigned with `prism-iac policy convert`, edit that, and sign it again.",
            )
        return PolicyFile.make(document, self.form, names=self.names)

    def sign(self, key: PrivateKey, *, signer: str) -> PolicyFile:
        """The file, signed; JSON becomes a CoRIM, and an earlier signature is replaced (section 5.2).

        Args:
            key: On P-256, P-384 or P-521, or Ed25519; `cocos-cli` itself signs with P-256 alone.
            signer: Who signs, for people.

        Raises:
            InvalidInput: The key is of another kind.
        """
        if self.signed:
            payload = self.signed.payload
        elif self.form is PolicyForm.JSON:
            payload = self.converted(PolicyForm.CORIM).to_bytes()
        else:
            payload = self.to_bytes()
        return PolicyFile.parse(sign_corim(payload, key, signer=signer))
