"""The steps of a plan on a host: their order, and what is undone when one of them fails."""

from __future__ import annotations

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.driver import steps
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.errors import DriverError
from driver_host import Packages, Programs, dkms_source, failed_build, installed_module

KERNEL = "6.1.0-40-amd64"
OLD = {
    "bash": "5.2-1",
    "nvidia-driver-cuda": "580.95.05-1",
    "nvidia-kernel-open-dkms": "580.95.05-1",
    "nvidia-driver-pinning-580": "580.105.08-1",
    "nvidia-container-toolkit": "1.17.8-1",
}
PREFERENCES = "etc/apt/preferences.d/00gpufleet-nvidia-driver.pref"
UPGRADE = [
    {"do": "pin", "packages": [], "branch": 999, "version": None},
    {"do": "install", "packages": ["nvidia-driver-cuda", "nvidia-kernel-open-dkms"], "version": "999.0", "branch": 999},
]


@pytest.fixture
def host(tmp_path):
    """A host of Debian's kind on which these packages are installed."""

    def make(installed=OLD, programs=None, sys_root="sys", **kind):
        (tmp_path / PREFERENCES).parent.mkdir(parents=True, exist_ok=True)
        return steps.Host(
            run=programs or Programs(),
            which=lambda name: f"/usr/sbin/{name}",
            manager=Packages(tmp_path, installed, **kind),
            root=str(tmp_path),
            sys_root=str(tmp_path / sys_root),
        )

    return make


def test_steps_are_done_in_their_order(host, tmp_path):
    installed_module(tmp_path, KERNEL, "580.105.08")
    one = host(installed={})
    outcome = steps.carry_out(
        one,
        [
            {"do": "unhold", "packages": ["nvidia-smi"]},
            {"do": "headers", "packages": [f"linux-headers-{KERNEL}"]},
            {"do": "remove", "packages": ["nvidia-driver-cuda"]},
            {"do": "pin", "packages": ["nvidia-driver-pinning-580"], "branch": 580, "version": None},
            {"do": "install", "packages": ["nvidia-driver-cuda"], "version": "580.105.08", "branch": 580},
            {"do": "block_nouveau"},
            {"do": "rebuild", "kernels": [KERNEL], "version": "580.105.08"},
        ],
    )
    assert one.manager.did == [
        "refresh",
        "unhold nvidia-smi",
        f"install linux-headers-{KERNEL} None None",
        "remove nvidia-driver-cuda",
        "install nvidia-driver-pinning-580 None None",
        "install nvidia-driver-cuda 580.105.08 580",
    ]
    assert outcome.done == ["unhold", "headers", "remove", "pin", "install", "block_nouveau", "rebuild"]
    assert (outcome.changed, outcome.reboot) == (True, "")
    assert [line for line in one.run.called if "systemctl" not in line] == ["/usr/sbin/update-initramfs -u -k all"]


def test_broken_packages_are_repaired_before_anything_is_fetched(host):
    one = host()
    steps.carry_out(
        one, [{"do": "repair_packages", "packages": ["a"], "remove": ["nvidia-kernel-open-dkms"]}, UPGRADE[0]]
    )
    assert one.manager.did[:2] == ["repair nvidia-kernel-open-dkms", "refresh"]


def test_a_failed_build_is_reported_by_the_compilers_error_and_undone(host, tmp_path):
    (tmp_path / PREFERENCES).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / PREFERENCES).write_text("Pin: version 580.*\n")
    one = host(fails="nvidia-kernel-open-dkms")
    with pytest.raises(DriverError) as caught:
        steps.carry_out(one, UPGRADE)
    text = str(caught.value)
    assert text.startswith(
        "The kernel module nvidia 999.0 could not be built for the kernel 6.1.0-40-amd64: "
        "nvidia/nv-pci.c:245: too few arguments to function 'pci_resize_resource'\n"
    )
    assert "the driver 580.95.05 is installed as before" in text
    assert one.manager.did[-1] == "restore"
    assert one.manager.state == OLD
    assert (tmp_path / PREFERENCES).read_text() == "Pin: version 580.*\n"
    # Purging the package takes DKMS's own log away.
    assert "pci_resize_resource" in (tmp_path / steps.KEPT_LOG).read_text()


def test_a_first_installation_that_fails_leaves_nothing(host, tmp_path):
    one = host(installed={"bash": "5.2-1"}, fails="nvidia-kernel-open-dkms")
    with pytest.raises(DriverError, match="in order, and no driver is installed, as before"):
        steps.carry_out(one, UPGRADE)
    assert one.manager.state == {"bash": "5.2-1"}
    assert not (tmp_path / PREFERENCES).exists()


def test_services_that_ran_run_again_after_the_way_back(host):
    programs = Programs(
        {"is-active --quiet nvidia-persistenced": (3, ""), "is-enabled --quiet nvidia-persist": (1, "")}
    )
    with pytest.raises(DriverError, match="as before"):
        steps.carry_out(host(fails="nvidia-kernel-open-dkms", programs=programs), UPGRADE)
    assert programs.called[-3:] == [
        "systemctl daemon-reload",
        "systemctl enable --quiet nvidia-fabricmanager.service",
        "systemctl start nvidia-fabricmanager.service",
    ]


def test_a_service_that_does_not_come_back_is_said(host):
    programs = Programs({"systemctl start nvidia-fabricmanager": (1, "")})
    with pytest.raises(DriverError, match=r"nvidia-fabricmanager\.service could not be started again"):
        steps.carry_out(host(fails="nvidia-kernel-open-dkms", programs=programs), UPGRADE)


def test_what_cannot_be_put_back_is_said(host):
    with pytest.raises(DriverError, match=r"Not all is what it was: .*nvidia-driver-cuda=580\.95\.05-1"):
        steps.carry_out(host(fails="nvidia-kernel-open-dkms", lost=True), UPGRADE)


def test_a_build_that_fails_in_the_rebuild_undoes_the_installation_too(host, tmp_path):
    dkms_source(tmp_path, "999.0")
    programs = Programs({"dkms install -m nvidia -v 999.0 -k 6.1.0-40-amd64": (10, "Error! Bad return status")})
    one = host(programs=programs)
    failed_build(tmp_path)
    with pytest.raises(DriverError, match=r"nvidia 999\.0 could not be built.*pci_resize_resource"):
        steps.carry_out(one, [*UPGRADE, {"do": "rebuild", "kernels": [KERNEL], "version": "999.0"}])
    assert one.manager.state == OLD


def test_an_old_log_is_no_reason_for_another_failure(host, tmp_path, monkeypatch):
    failed_build(tmp_path)
    monkeypatch.setattr(steps.time, "time", lambda: (tmp_path / "var/lib/dkms").stat().st_mtime + 60)
    one = host()

    def fail(names, version, branch):
        raise steps.CommandError("Installing failed (apt-get, status 100):\n  E: Unable to locate package")

    one.manager.install = fail
    with pytest.raises(DriverError, match="Unable to locate package") as caught:
        steps.carry_out(one, UPGRADE)
    assert "pci_resize_resource" not in str(caught.value)


@pytest.mark.parametrize(("loaded", "fails"), [("580.95.05", False), ("580.105.08", True), (None, True)])
def test_loading_is_believed_only_where_the_kernel_says_so(host, tmp_path, loaded, fails):
    if loaded:
        (tmp_path / "sys/module/nvidia").mkdir(parents=True)
        (tmp_path / "sys/module/nvidia/version").write_text(f"{loaded}\n")
    wanted = [{"do": "load_module", "kernels": [KERNEL], "version": "580.95.05"}]
    if fails:
        with pytest.raises(DriverError, match="modprobe succeeded, but"):
            steps.carry_out(host(), wanted)
    else:
        assert steps.carry_out(host(), wanted).changed


def test_secure_boot_is_named_when_the_kernel_refuses(host):
    said = "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"
    with pytest.raises(DriverError, match="Secure Boot refuses the module"):
        steps.carry_out(
            host(programs=Programs({"modprobe nvidia": (1, said)})),
            [{"do": "load_module", "kernels": [KERNEL], "version": "580.95.05"}],
        )


def test_a_module_in_use_asks_for_a_reboot_and_starts_what_was_stopped(host, tmp_path):
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    programs = Programs({"modprobe -r nvidia": (1, "FATAL: Module nvidia is in use."), "is-active": (0, "")})
    load = {"do": "load_module", "kernels": [KERNEL], "version": "1", "unload": True, "stop": ["dcgm.service"]}
    outcome = steps.carry_out(host(programs=programs), [load])
    assert "in use" in outcome.reboot
    assert programs.called[-1] == "systemctl start dcgm.service"


def test_units_that_were_stopped_run_again_after_loading(host, tmp_path):
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    (tmp_path / "sys/module/nvidia/version").write_text("580.95.05\n")
    programs = Programs({"is-active --quiet idle.service": (3, "")})
    load = {"do": "load_module", "kernels": [KERNEL], "version": "580.95.05", "unload": True}
    steps.carry_out(host(programs=programs), [{**load, "stop": ["dcgm.service", "idle.service"]}])
    assert programs.called == [
        "systemctl is-active --quiet dcgm.service",
        "systemctl is-active --quiet idle.service",
        "systemctl stop dcgm.service",
        "modprobe -r nvidia",
        "modprobe nvidia",
        "systemctl start dcgm.service",
    ]


@pytest.mark.parametrize(
    ("pin_version", "asked", "coming", "pinned"),
    [
        (True, None, "580.105.08", "580.105.08-*"),
        (True, "580.95.05", "580.95.05", "580.95.05-*"),
        (True, None, None, "580.*"),
        # Prebuilt modules follow the kernel.
        (False, None, "580.105.08", "580.*"),
        (False, "580.95.05", "580.95.05", "580.95.05-*"),
    ],
)
def test_what_is_installed_is_what_is_pinned(host, tmp_path, pin_version, asked, coming, pinned):
    one = host(installed={})
    one.pin_version = pin_version
    pin = {"do": "pin", "packages": [], "branch": 580, "version": asked}
    install = {"do": "install", "packages": ["nvidia-driver-cuda"], "version": coming, "branch": 580}
    steps.carry_out(one, [pin, install])
    assert f"Pin: version {pinned}\n" in (tmp_path / PREFERENCES).read_text()


def test_taking_it_off_leaves_no_file(host, tmp_path):
    one = host()
    steps.carry_out(one, [UPGRADE[0], {"do": "block_nouveau"}])
    steps.carry_out(
        one,
        [
            {"do": "unload", "stop": []},
            {"do": "purge", "packages": ["nvidia-driver-cuda"], "units": ["nvidia-fabricmanager.service"]},
            {"do": "unblock_nouveau"},
        ],
    )
    assert "systemctl disable nvidia-fabricmanager.service" in one.run.called
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    again = steps.carry_out(one, [{"do": "purge", "packages": []}, {"do": "unblock_nouveau"}])
    assert not again.changed
