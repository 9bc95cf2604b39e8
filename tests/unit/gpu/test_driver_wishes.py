"""Wishes that cannot be understood, the filter around the plan, and what a plan says in words."""

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gpufleet.serving.plugins.filter.driver import FilterModule
from ansible_collections.gpufleet.serving.plugins.plugin_utils.driver_plan import WishError, driver_plan, plan_text
from ansible_collections.gpufleet.serving.plugins.plugin_utils.driver_plan.versions import branch_of, newest, upstream
from gpu_plan_table import BASES, changed

BLANK = BASES["blank"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"source": "nvidia"}, "source is 'nvidia'; write one of cuda_repo, distribution, mirror"),
        ({"modules": "closed"}, "modules is 'closed'; write one of auto, open, proprietary"),
        ({"reboot": True}, "reboot is True; write one of never, when_needed, always"),
        ({"without_gpu": "fail"}, "without_gpu is 'fail'; write one of skip, refuse"),
        ({"branch": "580-open"}, "branch is '580-open'; write a number such as 580"),
        ({"version": "580.95.05-1"}, "version is '580.95.05-1'; write NVIDIA's own version, such as 580.95.05"),
        ({"version": "latest"}, "version is 'latest'; write NVIDIA's own version"),
        ({"fabric_manager": "yes"}, "fabric_manager is 'yes'; write auto, true or false"),
        ({"state": "absent"}, "state present only"),
    ],
)
def test_wishes_that_cannot_be_understood(wish, said):
    with pytest.raises(WishError, match=said):
        driver_plan(BLANK, {**BASES["wishes"], **wish})
    with pytest.raises(AnsibleFilterError, match=f"driver_plan: .*{said}"):
        FilterModule().filters()["driver_plan"](BLANK, {**BASES["wishes"], **wish})


def test_what_is_left_out_takes_the_roles_default():
    sets = {"packages": BASES["wishes"]["packages"]}
    assert driver_plan(BLANK, {**sets, "branch": 580}) == driver_plan(BLANK, BASES["wishes"])


def test_a_version_names_its_branch():
    wanted = {**BASES["wishes"], "branch": None, "version": "590.48.01"}
    assert driver_plan(BASES["installed"], wanted)["action"] == "branch_change"


def test_a_plan_in_words():
    filters = FilterModule().filters()
    wanted = changed(BASES["wishes"], {"version": "580.105.08", "reboot": "never"})
    busy = {"module": {"used_by": [{"pid": 9, "comm": "python3", "unit": "vllm@llama.service"}]}}
    plan = filters["driver_plan"](changed(BASES["installed"], busy), wanted)
    assert filters["driver_plan_text"](plan).splitlines() == [
        "upgrade: 580.95.05 is installed, and 580.105.08 is wished",
        "  1. add repository: the packages come from cuda_repo",
        "  2. pin nvidia-driver-pinning-580 (580.105.08): so that an unattended upgrade cannot leave 580.105.08 and "
        "split user space from module",
        "  3. install nvidia-driver-cuda nvidia-kernel-open-dkms nvidia-persistenced (580.105.08): 580.95.05 is "
        "installed, and 580.105.08 is wished",
        "  4. rebuild 6.1.0-40-amd64 (580.105.08): 6.1.0-40-amd64 has no module that belongs to the user space",
        "  5. services nvidia-persistenced.service: they belong to the driver and start anew with it",
        "  warning: A reboot is due and is not done, since nvidia_driver_reboot is never: the loaded module is "
        "580.95.05 (open), and 580.105.08 (open) is wanted; it cannot be unloaded, since it is used by python3 "
        "(vllm@llama.service). Reboot the host, then run again.",
    ]


def test_a_refusal_in_words_is_one_line():
    plan = driver_plan(BLANK, changed(BASES["wishes"], {"gpus": 4}))
    assert plan_text(plan).startswith("refuse: the inventory says 4 GPUs")
    assert "\n" not in plan_text(plan)


@pytest.mark.parametrize(
    ("package", "version", "branch"),
    [
        ("580.95.05", "580.95.05", 580),
        ("3:580.95.05-1.el9", "580.95.05", 580),
        ("535.309.01-0+deb12u1", "535.309.01", 535),
        ("620.10-1", "620.10", 620),
        ("1.17.8-1", None, None),
        ("20220217+3", None, None),
        ("6.8.0-86.87+1", None, None),
        ("580-1", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_packages_versions_and_nvidias(package, version, branch):
    assert (upstream(package), branch_of(package)) == (version, branch)


def test_the_newest_is_found_by_number():
    assert newest(["580.95.05-1", "580.105.08-1", "590.48.01-1", "junk"], 580) == "580.105.08"
    assert newest(["580.95.05-1", "590.48.01-1"], None) == "590.48.01"
    assert newest([], 580) is None
