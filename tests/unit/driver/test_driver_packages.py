"""apt and dnf: which commands are run, and what is understood of what they say."""

from __future__ import annotations

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.driver import pins
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.apt import Apt
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.dnf import Dnf
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.errors import CommandError
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.offers import available
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.versions import choose, upstream
from driver_host import Programs

# `apt-cache madison` of apt 2.6.
MADISON = """\
nvidia-driver-cuda | 590.48.01-1 | https://developer.download.nvidia.com/compute/x86_64  Packages
nvidia-driver-cuda | 580.105.08-1 | https://developer.download.nvidia.com/compute/x86_64  Packages
nvidia-driver-cuda | 580.95.05-1 | https://developer.download.nvidia.com/compute/x86_64  Packages
nvidia-kernel-open-dkms | 580.105.08-1 | https://developer.download.nvidia.com/compute/x86_64  Packages
nvidia-kernel-open-dkms | 580.95.05-1 | https://developer.download.nvidia.com/compute/x86_64  Packages
nvidia-driver-pinning-580 |      580-1 | https://developer.download.nvidia.com/compute/x86_64  Packages
nvidia-graphics-drivers | 535.309.01-1~deb12u1 | http://deb.debian.org/debian bookworm/non-free Sources
linux-headers-6.1.0-40-amd64 | 6.1.153-1 | http://deb.debian.org/debian bookworm/main amd64 Packages
"""
# `dnf repoquery` sorts its lines as text.
REPOQUERY = (
    "nvidia-driver-cuda\t3:580.105.08-1.el9\nnvidia-driver-cuda\t3:580.95.05-1.el9\n"
    "kmod-nvidia-open-dkms\t3:580.105.08-1.el9\nkmod-nvidia-open-dkms\t3:580.95.05-1.el9\n"
)
DPKG = """\
installed\tbash\t5.2.15-2+b7
half-configured\tnvidia-kernel-open-dkms\t999.0-1
config-files\tnvidia-smi\t535.309.01-1
installed\tlibc6:amd64\t2.36-9
"""


@pytest.mark.parametrize(
    ("offered", "version", "branch", "chosen"),
    [
        (["590.48.01-1", "580.105.08-1", "580.95.05-1"], None, "580", "580.105.08-1"),
        (["580.95.05-1", "580.105.08-1"], None, "580", "580.105.08-1"),
        (["580.105.08-1", "580.95.05-1"], "580.95.05", "580", "580.95.05-1"),
        (["3:580.95.05-1.el9"], None, "580", "3:580.95.05-1.el9"),
        (["580.95.05-0ubuntu0.24.04.2", "580.95.05-0ubuntu0.24.04.1"], "580.95.05", None, "580.95.05-0ubuntu0.24.04.2"),
        (["590.48.01-1"], None, "580", None),
        # The packages of a branch's pin, and of kernels, have versions of their own.
        (["580-1"], None, "580", None),
        (["6.1.153-1"], None, "580", None),
    ],
)
def test_choosing(offered, version, branch, chosen):
    assert choose(offered, version, branch) == chosen


@pytest.mark.parametrize(
    ("version", "found"),
    [("3:580.95.05-1.el9", "580.95.05"), ("535.309.01-1~deb12u1", "535.309.01"), ("999.0-1", "999.0"),
     ("1.17.8-1", None), ("580-1", None), ("1:4.5.3-1", None), ("6.8.0-45.45", None)],
)  # fmt: skip
def test_upstream(version, found):
    assert upstream(version) == found


def apt(**answers: tuple[int, str]) -> tuple[Apt, Programs]:
    programs = Programs({"apt-cache madison": (0, MADISON), "dpkg-query": (0, DPKG), **answers})
    return Apt(programs), programs


def test_apt_installs_exact_versions():
    one, programs = apt()
    one.install(["nvidia-driver-cuda", "nvidia-kernel-open-dkms", "nvidia-driver-pinning-580"], "580.95.05", "580")
    assert programs.called[-1].endswith(
        "install nvidia-driver-cuda=580.95.05-1 nvidia-kernel-open-dkms=580.95.05-1 nvidia-driver-pinning-580"
    )
    assert "--allow-downgrades" in programs.called[-1]
    assert "--no-install-recommends" in programs.called[-1]


def test_apt_tells_what_is_there():
    assert apt()[0].installed() == {
        "bash": "5.2.15-2+b7",
        "nvidia-kernel-open-dkms": "999.0-1",
        "libc6:amd64": "2.36-9",
    }


def test_what_apt_offers():
    found = available(
        apt()[0],
        ["nvidia-driver-cuda", "nvidia-kernel-open-dkms"],
        ["linux-headers-{kernel}"],
        ["6.1.0-40-amd64", "6.18.1"],
    )
    # 590 lacks one of the packages, and 6.18.1 has no headers.
    assert found == {"driver": ["580.95.05", "580.105.08"], "headers": ["6.1.0-40-amd64"]}
    assert available(apt()[0], ["nvidia-open"], [], [])["driver"] == []


def test_apt_puts_back_in_one_transaction():
    one, programs = apt()
    left = one.restore({"bash": "5.2.15-2+b7", "libc6:amd64": "2.36-9", "nvidia-smi": "580.95.05-1"})
    change = next(line for line in programs.called if " install " in line)
    assert change.endswith("--purge install nvidia-smi=580.95.05-1 nvidia-kernel-open-dkms-")
    assert left == []


def test_apt_takes_by_force_what_cannot_be_removed_otherwise():
    one, programs = apt(**{"--purge install": (100, "E: Sub-process /usr/bin/dpkg returned an error code (1)")})
    assert one.restore({"bash": "5.2.15-2+b7", "libc6:amd64": "2.36-9"}) == []
    assert "dpkg --purge --force-remove-reinstreq --force-depends nvidia-kernel-open-dkms" in programs.called


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"dpkg --audit": (0, "nvidia-kernel-open-dkms  half configured")}, "dpkg --audit still says"),
        ({"check": (100, "E: Unmet dependencies.")}, "apt-get check still says: E: Unmet dependencies."),
    ],
)
def test_apt_that_is_not_in_order_says_so(answers, said):
    one, _programs = apt(**answers)
    assert said in one.restore({"bash": "5.2.15-2+b7", "libc6:amd64": "2.36-9"})[0]


def test_apt_purges_what_came_along_and_no_older_orphan():
    superfluous = iter(["Remv old-orphan [1]\n", "Remv old-orphan [1]\nRemv dkms [3.0]\n"])
    programs = Programs()

    def run(argv):
        if "--simulate" in argv:
            programs(argv)
            return 0, next(superfluous), ""
        return programs(argv)

    Apt(run).purge(["nvidia-kernel-open-dkms"])
    assert [line.split(" purge ")[1] for line in programs.called if " purge " in line] == [
        "nvidia-kernel-open-dkms",
        "dkms",
    ]


def test_a_failure_is_told_by_the_lines_that_matter():
    noise = "\n".join(f"Get:{number} http://x" for number in range(50))
    one, _programs = apt(**{" install ": (100, f"{noise}\nE: Unable to locate package nvidia-open\n")})
    with pytest.raises(CommandError) as caught:
        one.install(["nvidia-open"], None, None)
    assert (
        str(caught.value)
        == "Installing nvidia-open failed (apt-get, status 100):\n  E: Unable to locate package nvidia-open"
    )


def dnf(**answers: tuple[int, str]) -> tuple[Dnf, Programs]:
    rpms = "bash\t0:5.1-6.el9.x86_64\nnvidia-driver-cuda\t3:580.95.05-1.el9.x86_64\nkernel\t0:1.x\nkernel\t0:2.x\n"
    programs = Programs({"repoquery": (0, REPOQUERY), "rpm -qa": (0, rpms), **answers})
    return Dnf(programs), programs


def test_dnf_installs_the_newest_of_the_branch():
    one, programs = dnf()
    one.install(["nvidia-driver-cuda", "nvidia-persistenced"], None, "580")
    assert programs.called[-1].endswith("install nvidia-driver-cuda-3:580.105.08-1.el9 nvidia-persistenced")


def test_dnf_puts_back():
    one, programs = dnf()
    assert one.restore({"bash": "0:5.0-1.el9.x86_64"}) == []
    changes = [line for line in programs.called if " remove " in line or " install " in line]
    assert changes[0].endswith("--noautoremove remove nvidia-driver-cuda")
    assert changes[1].endswith("install bash-0:5.0-1.el9.x86_64")


def test_preferences_keep_to_the_branch_and_to_the_source():
    text = pins.apt_preferences("cuda_repo", "580", None)
    assert "Pin: release o=Debian\nPin-Priority: -1\n" in text
    assert text.endswith("Pin: version 580.*\nPin-Priority: 1100\n")
    assert "Pin: version 580.95.05-*\n" in pins.apt_preferences("cuda_repo", "580", "580.95.05")
    own = pins.apt_preferences("distribution", None, None)
    assert "Pin: release o=NVIDIA\nPin-Priority: -1\n" in own
    assert "Pin: version" not in own


def test_locks_stand_beside_those_of_others(tmp_path):
    file = tmp_path / pins.LOCK_FILE
    file.parent.mkdir(parents=True)
    file.write_text("vim-2:9.0-*\n")
    driver = {"nvidia-driver-cuda": "3:580.95.05-1.el10.x86_64", "nvidia-container-toolkit": "0:1.17.8-1.x86_64"}
    assert pins.lock(str(tmp_path), driver, None)
    assert "vim-2:9.0-*\n" in file.read_text()
    assert "nvidia-driver-cuda-3:580.*-*\n" in file.read_text()
    assert "toolkit" not in file.read_text()
    assert not pins.lock(str(tmp_path), driver, None)
    assert pins.lock(str(tmp_path), driver, "580.95.05")
    assert file.read_text().count("nvidia-driver-cuda") == 1
    assert "nvidia-driver-cuda-3:580.95.05-*\n" in file.read_text()
    assert pins.lock(str(tmp_path), {}, None)
    assert file.read_text() == "vim-2:9.0-*\n"


def test_no_lock_file_is_made_for_nothing(tmp_path):
    assert not pins.lock(str(tmp_path), {}, None)
    assert not (tmp_path / pins.LOCK_FILE).exists()
