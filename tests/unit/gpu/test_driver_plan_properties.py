"""What must be so for every machine and every wish, tried on machines put together at random."""

import copy

from ansible_collections.gpufleet.serving.plugins.plugin_utils.driver_plan import driver_plan, plan_text
from driver_simulator import carried_out
from gpu_plan_table import BASES, cases, facts_of, wishes_of
from hypothesis import given, settings
from hypothesis import strategies as st

ORDER = [
    ["repair_packages", "unhold", "add_repository", "headers", "remove", "pin", "install"],
    ["block_nouveau", "rebuild", "load_module", "services", "reboot"],
]
VERSIONS = ["535.309.01", "580.82.07", "580.95.05", "580.105.08", "590.48.01"]
KERNELS = ["6.1.0-38-amd64", "6.1.0-40-amd64", "6.1.0-41-amd64"]
GPUS = {
    "pascal": ("10de:1b38", False),
    "turing": ("10de:1eb8", True),
    "hopper": ("10de:2330", True),
    "blackwell": ("10de:2b85", True),
    None: ("10de:7fff", None),
}
USERS = [
    {"pid": 700, "comm": "nvidia-persiste", "unit": "nvidia-persistenced.service"},
    {"pid": 9, "comm": "python3", "unit": "vllm@llama.service"},
    {"pid": 10, "comm": "python3", "unit": None},
]
PACKAGES = ["libcuda1", "nvidia-driver-cuda", "nvidia-kernel-open-dkms", "nvidia-kernel-dkms", "nvidia-persistenced"]


@st.composite
def gpus(draw):
    generation = draw(st.sampled_from(list(GPUS)))
    number, supported = GPUS[generation]
    driver = draw(st.sampled_from([None, "nvidia", "nouveau", "vfio-pci"]))
    common = {"kind": "gpu", "name": None, "memory_mib": None, "index": 0, "driver": driver}
    return {"address": "0000:01:00.0", "id": number, "architecture": generation, "open_modules": supported, **common}


@st.composite
def machines(draw):
    """Facts that contradict neither themselves nor what the packages can leave behind."""
    facts = copy.deepcopy(BASES["blank"])
    found = draw(st.lists(gpus(), max_size=2))
    for number, gpu in enumerate(found):
        gpu["address"] = f"0000:0{number + 1}:00.0"
    switches = [{**BASES["blank"]["devices"][0], "kind": "nvswitch", "open_modules": None, "architecture": None}]
    facts["devices"] = found + (switches if draw(st.booleans()) else [])
    bound = [gpu["address"] for gpu in found if gpu["driver"] == "nouveau"]
    facts["nouveau"] = {"loaded": bool(bound), "bound": bound, "blocked": draw(st.booleans())}
    installed = sorted(draw(st.sets(st.sampled_from(KERNELS))))
    running = draw(st.sampled_from(KERNELS))
    headers = {kernel: draw(st.booleans()) for kernel in KERNELS}
    facts["kernel"] = {
        "running": running,
        "newest": max(installed, default=None),
        "installed": installed,
        "headers": headers,
    }
    names = draw(st.lists(st.sampled_from(PACKAGES), unique=True))
    version = draw(st.sampled_from(VERSIONS))
    packages = {name: f"{draw(st.sampled_from([version, version, *VERSIONS]))}-1" for name in names}
    user_space = packages.get("libcuda1") or packages.get("nvidia-driver-cuda")
    facts["userland"] = {
        "version": user_space.split("-")[0] if user_space else None,
        "packages": {**packages, **({"nvidia-driver-pinning-580": "580-1"} if draw(st.booleans()) else {})},
        "source": draw(st.sampled_from(["cuda_repo", "cuda_repo", "distribution", "mixed", None])) if names else None,
    }
    on_disk = {
        kernel: {"version": draw(st.sampled_from(VERSIONS)), "open": draw(st.booleans()), "signed": draw(st.booleans())}
        for kernel in installed
        if draw(st.booleans())
    }
    loaded = draw(st.sampled_from([None, *VERSIONS]))
    facts["module"] = {
        "loaded": loaded,
        "open": draw(st.booleans()) if loaded else None,
        "on_disk": on_disk,
        "used_by": draw(st.lists(st.sampled_from(USERS), unique_by=lambda user: user["pid"])) if loaded else [],
        "references": draw(st.sampled_from([0, 0, 2])) if loaded else 0,
    }
    facts["secure_boot"] = draw(st.sampled_from([False, False, True, None]))
    facts["mok"]["dkms_key_enrolled"] = draw(st.sampled_from([None, True, False]))
    facts["packages"]["held"] = draw(st.lists(st.sampled_from(PACKAGES), unique=True, max_size=2))
    facts["packages"]["half_configured"] = [name for name in names if draw(st.integers(0, 5)) == 0]
    return facts


@st.composite
def wishes(draw):
    branch = draw(st.sampled_from(["580", "580", "590", "620"]))
    raw = copy.deepcopy(BASES["wishes"])
    raw["packages"]["pinning"] = [f"nvidia-driver-pinning-{branch}"]
    offered = {"driver": [f"{version}-1" for version in VERSIONS], "headers": draw(st.lists(st.sampled_from(KERNELS)))}
    return {
        **raw,
        "branch": branch,
        "version": draw(st.sampled_from([None, None, *(v for v in VERSIONS if v.startswith(branch))])),
        "modules": draw(st.sampled_from(["auto", "auto", "open", "proprietary"])),
        "gpus": draw(st.sampled_from([None, None, 0, 1, 2])),
        "without_gpu": draw(st.sampled_from(["skip", "refuse"])),
        "reboot": draw(st.sampled_from(["never", "when_needed", "always"])),
        "connection": draw(st.sampled_from(["ssh", "ssh", "local"])),
        "fabric_manager": draw(st.sampled_from(["auto", True, False])),
        "available": draw(st.sampled_from([None, offered])),
    }


def names(plan):
    return [step["do"] for step in plan["steps"]]


@given(machines(), wishes())
@settings(max_examples=300, deadline=None)
def test_a_plan_is_sound(facts, wanted):
    before = copy.deepcopy((facts, wanted))
    plan = driver_plan(facts, wanted)
    done = names(plan)
    assert (facts, wanted) == before, "it changes what it is given"
    assert (plan["action"] == "refuse") == bool(plan["refused"])
    assert not (plan["refused"] and done), "it refuses and acts"
    assert plan["action"] in ("skip", "nothing", "refuse") or done, "it announces what it does not do"
    assert plan["action"] not in ("skip", "nothing") or not done
    assert all(step["why"] for step in plan["steps"])
    assert done == [name for group in ORDER for name in group if name in done], "out of order, or twice"
    assert "install" not in done or done.index("pin") < done.index("install")
    assert plan["summary"] and plan_text(plan)


@given(machines(), wishes())
@settings(max_examples=300, deadline=None)
def test_it_never_reboots_against_the_wishes_and_says_when_one_is_due(facts, wanted):
    plan = driver_plan(facts, wanted)
    forbidden = wanted["reboot"] == "never" or wanted["connection"] == "local"
    if forbidden:
        assert "reboot" not in names(plan)
        assert plan["reboot"]["due"] == any("A reboot is due" in warning for warning in plan["warnings"])
    else:
        assert plan["reboot"]["due"] == ("reboot" in names(plan))


@given(machines(), wishes())
@settings(max_examples=300, deadline=None)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(facts, wanted):
    plan = driver_plan(facts, wanted)
    again = driver_plan(carried_out(facts, plan), wanted)
    if plan["action"] in ("skip", "refuse"):
        assert again == plan
    else:
        assert (again["action"], names(again)) == ("nothing", []), plan_text(plan) + "\n" + plan_text(again)
        assert "reboot" not in names(plan) or not again["reboot"]["due"]


@given(machines(), wishes())
@settings(max_examples=200, deadline=None)
def test_the_modules_suit_every_gpu(facts, wanted):
    plan = driver_plan(facts, wanted)
    if plan["steps"]:
        generations = [gpu["architecture"] for gpu in facts["devices"] if gpu["kind"] == "gpu"]
        assert "pascal" not in generations or (plan["modules"] == "proprietary" and wanted["branch"] == "580")
        assert "blackwell" not in generations or plan["modules"] == "open"
        assert not (plan["modules"] == "proprietary" and wanted["branch"] == "620")


@given(machines(), wishes(), st.data())
@settings(max_examples=200, deadline=None)
def test_facts_that_are_missing_are_no_crash(facts, wanted, data):
    for part in data.draw(st.lists(st.sampled_from(sorted(facts)), unique=True)):
        del facts[part]
    for part in [facts[name] for name in sorted(facts) if isinstance(facts[name], dict)]:
        for key in data.draw(st.lists(st.sampled_from(sorted(part)), unique=True)) if part else []:
            part[key] = None
    assert plan_text(driver_plan(facts, wanted))


def test_every_plan_of_the_tables_leaves_nothing_to_do():
    """Where the packages are those of Debian, which the simulator knows."""
    tried = 0
    for case in cases():
        facts, wanted = facts_of(case), wishes_of(case)
        plan = driver_plan(facts, wanted)
        if plan["action"] not in ("skip", "refuse") and wanted["source"] == "cuda_repo":
            again = driver_plan(carried_out(facts, plan), wanted)
            assert names(again) == [], f"{case['name']}\n{plan_text(plan)}\n{plan_text(again)}"
            tried += 1
    assert tried > 40
