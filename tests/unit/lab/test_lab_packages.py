"""The stand-ins for a vendor's packages: their relations, their content, and that they are the same bytes each time."""

import re
import shutil
import subprocess

import pytest
import yaml

from lab.errors import LabError
from lab.mirror import extra, nvidia_repository
from lab.mirror.apt_repository import component_of
from lab.packages import dcgm, deb, debian, dkms, driver, headers, modules, red_hat, rpm
from lab.packages.package import File, Package

PACKAGE = Package(
    "thing",
    "1.2-1",
    "A thing",
    files={"etc/thing.conf": File(b"a=1\n", config=True), "usr/bin/thing": File(b"#!/bin/sh\n", 0o755)},
    links={"usr/bin/other": "thing"},
    scripts={"postinst": "echo done\n"},
    depends=["kmod"],
    conflicts=["thong"],
    epoch=1,
)


def by_name(packages):
    return {package.name: package for package in packages}


def test_a_deb_says_what_it_is_and_what_it_needs():
    text = deb.control(PACKAGE)
    assert "Package: thing\nVersion: 1:1.2-1+lab\n" in text
    assert "Depends: kmod\nConflicts: thong\nReplaces: thong\n" in text
    assert re.search(r"^Description: A thing \(stand-in\)\n Stand-in made by the lab", text, re.MULTILINE)
    assert "Recommends" not in text


def test_a_deb_is_the_same_bytes_each_time(tmp_path):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(deb.make(PACKAGE, tmp_path / name))
    assert made[0].name == "thing_1.2-1+lab_amd64.deb"
    assert made[0].read_bytes() == made[1].read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == [made[0].name]
    listed = subprocess.check_output(["dpkg-deb", "--contents", made[0]], text=True)
    assert re.search(r"-rwxr-xr-x root/root .* \./usr/bin/thing\n", listed)
    assert "./usr/bin/other -> thing" in listed
    told = subprocess.check_output(["dpkg-deb", "--info", made[0], "conffiles"], text=True)
    assert told == "/etc/thing.conf\n"


def test_an_rpm_names_files_scripts_and_relations():
    text = rpm.spec(PACKAGE)
    assert "Name: thing\nEpoch: 1\nVersion: 1.2\nRelease: 1+lab\n" in text
    assert "Requires: kmod\nConflicts: thong\n" in text
    assert "%post\necho done\n" in text
    assert "%config(noreplace) %attr(644, root, root) /etc/thing.conf\n" in text
    assert "%attr(755, root, root) /usr/bin/thing\n/usr/bin/other\n" in text


@pytest.mark.skipif(not shutil.which("rpmbuild"), reason="the lab installs rpmbuild when it first makes a mirror")
def test_an_rpm_is_the_same_bytes_each_time(tmp_path):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(rpm.make(PACKAGE, tmp_path / name))
    assert made[0].name == "thing-1.2-1+lab.x86_64.rpm"
    assert made[0].read_bytes() == made[1].read_bytes()


def test_folders_of_the_drivers_own_go_with_its_rpm():
    spec = rpm.spec(by_name(red_hat.driver_packages("580.95.05"))["kmod-nvidia-open-dkms"])
    assert "%dir /usr/src/nvidia-580.95.05\n" in spec
    assert "%dir /usr/lib/nvidia-lab\n" in spec
    assert "%dir /usr/lib\n" not in spec
    assert "%dir /etc/modprobe.d" not in spec


def test_a_debian_driver_is_of_one_version_and_of_one_kind_of_modules():
    found = by_name(debian.driver_packages("580.95.05"))
    same = "(= 580.95.05-1+lab)"
    assert found["nvidia-driver-cuda"].depends == [
        f"libcuda1 {same}",
        f"nvidia-smi {same}",
        f"nvidia-kernel-open-dkms {same} | nvidia-kernel-dkms {same}",
    ]
    assert found["nvidia-kernel-open-dkms"].conflicts == ["nvidia-kernel-dkms"]
    assert "dkms" in found["nvidia-kernel-dkms"].depends
    assert "usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05" in found["libcuda1"].files


def test_later_branches_have_open_modules_only():
    assert "nvidia-kernel-dkms" not in by_name(debian.driver_packages("590.48.01"))
    assert "kmod-nvidia-latest-dkms" not in by_name(red_hat.driver_packages("590.48.01"))


def test_dkms_is_told_to_build_all_modules_of_the_version_and_licence():
    conf = driver.kernel_source("580.95.05", driver.PROPRIETARY)["usr/src/nvidia-580.95.05/dkms.conf"].content.decode()
    assert 'PACKAGE_VERSION="580.95.05"\n' in conf
    assert "MAKE[0]=\"python3 ./compile.py ${kernelver} 580.95.05 'NVIDIA'\"\n" in conf
    assert 'BUILT_MODULE_NAME[4]="nvidia-peermem"\n' in conf


def test_modprobe_asks_the_stand_in_for_each_module_and_has_no_softdep():
    conf = driver.kernel_source("580.95.05", driver.OPEN)["etc/modprobe.d/nvidia-lab.conf"].content.decode()
    for name in ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem"):
        assert f"install {name} /usr/lib/nvidia-lab/kernel-module load {name}\n" in conf
    assert "softdep" not in conf, "kmod passes over install commands of modules that have one"


def test_a_broken_release_brings_the_compilers_error():
    (package,) = (one for one in debian.driver_packages("999.0", broken=True) if one.name == "nvidia-kernel-open-dkms")
    error = package.files["usr/src/nvidia-999.0/error"].content.decode()
    assert ": error: too few arguments to function 'pci_resize_resource'" in error.format(build="/b", headers="/h")


def test_a_pin_names_every_package_of_its_branch():
    pin = debian.pinning("580", ["580.95.05", "580.105.08"])
    text = pin.files["etc/apt/preferences.d/nvidia-driver-pinning-580"].content.decode()
    assert pin.version == "580.105.08-1"
    assert "Pin: version 580.*\nPin-Priority: 1001\n" in text
    for package in debian.driver_packages("580.105.08"):
        assert f" {package.name}" in f" {text.splitlines()[0]}".replace("Package:", "")


def test_a_stream_holds_its_branch_and_one_kind_of_modules():
    streams = red_hat.streams(nvidia_repository.VERSIONS)
    documents = {one["data"]["stream"]: one["data"] for one in yaml.safe_load_all(modules.metadata(streams))}
    assert set(documents) == {"580-open", "580-dkms", "590-open"}
    listed = {stream: "\n".join(data["artifacts"]["rpms"]) for stream, data in documents.items()}
    assert "nvidia-driver-cuda-3:580.95.05-1+lab.x86_64" in listed["580-open"]
    assert "590." not in listed["580-open"]
    assert "kmod-nvidia-latest" not in listed["580-open"]
    assert "kmod-nvidia-open" not in listed["580-dkms"]
    assert documents["580-open"]["dependencies"] == [{"requires": {"platform": ["el9"]}}]


def test_the_exporter_counts_what_the_vendors_list_enables():
    csv = dcgm.exporter_files("4.5.3", debian.UNITS)["etc/dcgm-exporter/default-counters.csv"]
    rows = [line for line in csv.content.decode().splitlines() if not line.startswith("#")]
    kinds = [row.split(", ")[1] for row in rows]
    assert (len(rows), kinds.count("label"), kinds.count("counter")) == (26, 1, 5)
    assert csv.config


@pytest.mark.parametrize("version", dcgm.PAIRS)
def test_an_exporter_knows_the_fields_of_its_own_release(version):
    exporter, *_ = dcgm.PAIRS[version]
    head = dcgm.exporter_files(version, debian.UNITS)[dcgm.FIELDS].content.decode().splitlines()[0]
    assert f"{version}-{exporter}" in head


def test_headers_are_what_dkms_looks_for():
    package = headers.package("6.1.0-40-amd64")
    assert package.links["lib/modules/6.1.0-40-amd64/build"] == "/usr/src/linux-headers-6.1.0-40-amd64"
    assert "usr/src/linux-headers-6.1.0-40-amd64/include/linux/pci.h" in package.files
    assert "header_postinst.d" in package.scripts["postinst"]


def test_dkms_needs_no_compiler_and_is_older_than_debians():
    control = (
        "Package: dkms\nVersion: 3.0.10-8\nPre-Depends: lsb-release\nDepends: kmod, gcc | c-compiler,\n make, patch\n"
        "Recommends: sudo\nDescription: modules\n long\n"
    )
    assert dkms.thin_control(control) == (
        "Package: dkms\nVersion: 3.0.10-8~lab\nDepends: kmod, python3\nDescription: modules\n long\n"
    )


@pytest.mark.parametrize(
    ("section", "component"),
    [("non-free/kernel", "non-free"), ("contrib/utils", "contrib"), ("kernel", "main"), ("non-us/x", "main")],
)
def test_a_package_is_in_the_part_that_its_section_names(section, component):
    assert component_of(f"Package: a\nSection: {section}\n") == component


def test_further_content_is_read_and_what_is_wrong_is_named(tmp_path):
    file = tmp_path / "more.yml"
    file.write_text("folder: apt/more\ncomponents: [main, contrib]\napt: {bookworm: [a]}\n")
    assert extra.load(file) == extra.Extra("apt/more", ["main", "contrib"], {"bookworm": ["a"]})
    for text, said in [
        ("folder: apt/debian\ncomponents: []\napt: {}\n", "folder: must be one of its own"),
        ("folder: apt/x\ncomponents: [restricted]\napt: {}\n", "components: restricted: must be some of main"),
        ("folder: apt/x\n", "must be a mapping with folder, components and apt"),
        ("folder: apt/x\ncomponents: [main]\napt: {sid: []}\n", "must be one of bookworm, trixie"),
    ]:
        file.write_text(text)
        with pytest.raises(LabError, match=said):
            extra.load(file)
    with pytest.raises(LabError, match="No such file"):
        extra.load(tmp_path / "absent.yml")


def test_the_repositories_have_nvidias_own_addresses_and_keys():
    assert nvidia_repository.key_urls() == [
        f"https://developer.download.nvidia.com/compute/cuda/repos/{place}"
        for place in (
            "debian12/x86_64/3bf863cc.pub",
            "debian13/x86_64/8793F200.pub",
            "debian12-broken/x86_64/3bf863cc.pub",
            "rhel9/x86_64/D42D0685.pub",
        )
    ]
