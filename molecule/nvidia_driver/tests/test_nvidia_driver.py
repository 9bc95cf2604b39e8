"""What a person would look at on a machine with NVIDIA's driver."""

import re

import pytest

testinfra_hosts = ["ansible://nd12", "ansible://nd13", "ansible://nd9"]


@pytest.fixture
def kernel(host) -> str:
    return host.check_output("uname -r")


def test_module_and_user_space_are_of_one_version(host):
    loaded = host.file("/sys/module/nvidia/version").content_string.strip()
    assert loaded == "580.105.08"
    assert host.check_output("nvidia-smi --query-gpu=driver_version --format=csv,noheader").splitlines()[0] == loaded


def test_dkms_has_the_module_in_place(host, kernel):
    assert re.search(rf"nvidia/580\.105\.08, {re.escape(kernel)}, \S+: installed", host.check_output("dkms status"))


def test_every_gpu_is_held_by_the_driver(host):
    devices = host.check_output("nvidia-smi --query-gpu=pci.bus_id --format=csv,noheader").lower().split()
    wanted = {"nd12": 2, "nd13": 1, "nd9": 1}[host.check_output("hostname")]
    assert len(devices) == wanted
    for address in devices:
        driver = host.file(f"/sys/bus/pci/devices/{address[4:]}/driver")
        assert driver.linked_to.endswith("/nvidia")


def test_nouveau_is_kept_away_also_from_the_initramfs(host, kernel):
    assert "blacklist nouveau" in host.file("/etc/modprobe.d/gpufleet-nouveau.conf").content_string
    assert not host.file("/sys/module/nouveau").exists
    made = host.run(f"stat -c %Y /boot/initrd.img-{kernel} /boot/initramfs-{kernel}.img 2>/dev/null").stdout.split()
    blocked = host.file("/etc/modprobe.d/gpufleet-nouveau.conf").mtime.timestamp()
    assert made
    assert int(made[0]) >= int(blocked)


def test_an_unattended_upgrade_stays_in_the_branch(host):
    if host.exists("apt-get"):
        assert "nvidia" not in host.check_output("apt-get --simulate dist-upgrade")
    else:
        assert "nvidia" not in host.run("dnf --quiet --assumeno upgrade").stdout


def test_the_repository_is_signed_by_the_locked_key_alone(host):
    if host.exists("apt-get"):
        source = host.file("/etc/apt/sources.list.d/gpufleet-nvidia.sources").content_string
        assert "Signed-By: /etc/apt/keyrings/gpufleet-nvidia.asc" in source
        assert "trusted" not in source.lower()
    else:
        source = host.file("/etc/yum.repos.d/gpufleet-nvidia.repo").content_string
        assert "gpgcheck=1" in source
        assert "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-gpufleet-nvidia" in source


def test_services_run_and_start_at_boot(host):
    units = ["nvidia-persistenced"]
    if host.check_output("hostname") == "nd12":
        units.append("nvidia-fabricmanager")
    for unit in units:
        assert host.service(unit).is_running
        assert host.service(unit).is_enabled
