"""The generations against device ids from public lists: pci.ids 2026.08.22 and open-gpu-kernel-modules 595.45.04."""

from itertools import pairwise

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.architectures import (
    BLOCKS,
    architecture,
    open_modules,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.cards import CARDS, memory_of, name_of

# The first and the last id of each chip in the list, and well-known cards between them.
KNOWN = {
    "kepler": "0fc0 1023 102d 1180 11bf 11fc 1280 12ba",
    "maxwell": "1340 137d 1380 13bd 13c0 13fb 1401 1436 1667 174d 179c 17c2 17fd",
    "pascal": "15f0 15f8 15ff 1725 172f 1b00 1b38 1b80 1be1 1c03 1c82 1d01 1d56",
    "volta": "1d81 1db1 1db4 1db6 1df6",
    "turing": "1e02 1e30 1e78 1eb8 1ef5 1f02 1f82 1ff9 2182 21c4 21d1",
    "ampere": "2080 20b0 20b2 20b5 20f1 20ff 2204 2230 2236 223f 2414 2484 24fa 2503 2571 2582 25b6 25fb",
    "hopper": "2302 2321 2330 2331 2335 2342 23f0",
    "ada": "2681 2684 26b5 26b9 26f5 2702 2782 27b8 2803 2882 28f8",
    "blackwell": (
        "2900 2901 2941 297e 29f1 2b00 2b85 2bb5 2bbc 2c02 2c79 2d04 2df9 2e03 2e2a 2f04 2f80 3180 3182 "
        "31fe 3200 323e 3340"
    ),
    "rubin": "3000 3040 30c0",
}


@pytest.mark.parametrize(("number", "generation"), [(n, g) for g, ids in KNOWN.items() for n in ids.split()])
def test_the_generation_of_an_id(number, generation):
    assert architecture(int(number, 16)) == generation
    assert open_modules(generation) == (generation not in ("kepler", "maxwell", "pascal", "volta"))


@pytest.mark.parametrize("number", [0x0000, 0x06C0, 0x1250, 0x1AF1, 0x22A3, 0x2F95, 0x7FFF])
def test_ids_outside_of_the_blocks_are_unknown(number):
    """Fermi, NVSwitches, the Vera CPU, and what does not exist yet."""
    assert architecture(number) is None
    assert open_modules(None) is None


def test_the_blocks_do_not_overlap():
    assert all(first <= last for first, last, _ in BLOCKS)
    assert all(one[1] < other[0] for one, other in pairwise(BLOCKS))


def test_every_known_card_has_a_generation_and_a_plausible_memory():
    assert [hex(number) for number in CARDS if architecture(number) is None] == []
    assert all(8 * 1024 <= memory_of(number) <= 288 * 1024 for number in CARDS)
    assert (name_of(0x7FFF), memory_of(0x7FFF)) == (None, None)
