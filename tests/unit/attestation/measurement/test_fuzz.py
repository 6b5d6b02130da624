"""Firmware as no build makes it: it is measured or refused, in bounded time and memory."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_iac.attestation import (
    VCPU_TYPES,
    Firmware,
    KernelHashes,
    LaunchInputs,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    SvsmLaunch,
    TdxLaunch,
    measure,
)
from prism_iac.errors import InvalidInput
from tests.unit.attestation.measurement.firmware import (
    SEV_METADATA,
    SVSM_INFO,
    TDX_METADATA,
    entries_of,
    firmware,
    footer,
    sev_metadata,
    tdx_metadata,
    words,
)

EPYC = VCPU_TYPES["EPYC-v4"]
KERNEL = KernelHashes.of(b"kernel\n")
SEED = firmware(0x2000, table=footer({**entries_of(), SVSM_INFO: words(0x10)}))

U32 = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 0x10, 0x400, 0x1000, 2**32 - 1]))
U64 = st.one_of(U32, st.integers(0, 2**64 - 1), st.just(2**64 - 0x1000))

# Where tables and metadata lie: from the TDX descriptor to the end.
META = range(len(SEED) - 0x600, len(SEED))

PATCHES = st.lists(st.tuples(st.sampled_from(META), st.binary(min_size=1, max_size=8)), max_size=6)

TABLES = st.builds(
    lambda pairs: footer([(str(key), data) for key, data in pairs]),
    st.lists(
        st.tuples(st.one_of(st.uuids(), st.sampled_from(sorted(entries_of()))), st.binary(max_size=24)),
        max_size=6,
    ),
)
SEV = st.builds(
    sev_metadata, st.lists(st.tuples(U32, U32, st.sampled_from([1, 2, 3, 4, 0x10, 9])), max_size=9)
)
TDX = st.builds(
    tdx_metadata,
    st.lists(st.tuples(U32, U32, U64, U64, st.integers(0, 5), st.integers(0, 3)), max_size=9),
)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(["any bytes", "patched", "other metadata", "cut"]))
    if kind == "any bytes":
        return draw(st.binary(min_size=1, max_size=300))
    if kind == "other metadata":
        table = draw(st.one_of(st.none(), TABLES))
        return firmware(0x2000, table=table, sev=draw(SEV), tdx=draw(TDX))
    image = bytearray(SEED)
    for offset, content in draw(PATCHES):
        image[offset : offset + len(content)] = content
    return bytes(image) if kind == "patched" else bytes(image[draw(st.integers(0, len(image) - 1)) :])


def launches(data: bytes) -> Iterator[LaunchInputs]:
    image = Firmware(data)
    yield SevLaunch(image, kernel=KERNEL)
    yield SevEsLaunch(image, vcpus=2, vcpu_signature=EPYC)
    yield SnpLaunch(image, vcpus=2, vcpu_signature=EPYC)
    yield SnpLaunch(image, vcpus=2, vcpu_signature=EPYC, kernel=KERNEL)
    yield SvsmLaunch(Firmware(firmware()), svsm=image, vars_bytes=0, vcpus=1, vcpu_signature=EPYC)
    yield TdxLaunch(image)


@settings(max_examples=800, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=images())
def test_any_image_is_measured_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        for launch in launches(data):
            with contextlib.suppress(InvalidInput):
                assert len(measure(launch).digest) in (32, 48)


def with_many_sections(count: int) -> tuple[LaunchInputs, LaunchInputs]:
    """Images that hold as many sections as they say."""
    sev, tdx = sev_metadata([(0x800000, 0, 1)] * count), tdx_metadata([(0, 0, 0x800000, 0, 3, 0)] * count)
    entries = {SEV_METADATA: words(len(sev) + 0x1000), TDX_METADATA: words(len(tdx) - 16 + 0x1000)}
    tail = firmware(0x1000, table=footer({**entries_of(), **entries}))
    return (
        SnpLaunch(Firmware(bytes(-len(sev) % 4096) + sev + tail), vcpus=1, vcpu_signature=EPYC),
        TdxLaunch(Firmware(tdx + tail)),
    )


@pytest.mark.parametrize("launch", with_many_sections(60_000), ids=["sev", "tdx"])
def test_sections_without_end_are_refused_before_they_are_read(launch: LaunchInputs) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match="no room for 60000 sections"):
            measure(launch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_more_sections_than_any_firmware_has_are_still_measured() -> None:
    sev, _ = with_many_sections(1000)
    assert len(measure(sev).parts) == 1002


def test_memory_is_measured_up_to_the_bound() -> None:
    whole = firmware(sev=sev_metadata([(0, 1 << 28, 1)]))
    assert measure(SnpLaunch(Firmware(whole), vcpus=1, vcpu_signature=EPYC)).digest
    more = firmware(sev=sev_metadata([(0, 1 << 28, 1), (1 << 28, 0x1000, 1)]))
    with pytest.raises(InvalidInput, match="more memory"):
        measure(SnpLaunch(Firmware(more), vcpus=1, vcpu_signature=EPYC))
