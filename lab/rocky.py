"""The recipe of a machine of the Red Hat kind: Debian's image with dnf and rpm, and Rocky's name on it.

What asks such a machine (os-release, the release files, rpm, dnf with its module streams) is answered as on Rocky 9;
its programs are Debian's. Whatever is changed here makes a new image.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from lab import podman, workbench
from lab.apt import Apt
from lab.files import scratch, write_atomically
from lab.machines import SUITES
from lab.packages import red_hat, rpm
from lab.paths import SCRATCH
from lab.progress import Step

BASE = "debian12"

_PACKAGES = ["dnf", "dnf-plugins-core", "python3-dnf", "rpm"]
_NAME = "Rocky Linux"
_VERSION = "9.6"
_RELEASE = f"{_NAME} release {_VERSION} (Blue Onyx)\n"
_FILES = {
    "usr/lib/os-release": f"""\
NAME="{_NAME}"
VERSION="{_VERSION} (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="{_VERSION}"
PLATFORM_ID="platform:el9"
PRETTY_NAME="{_NAME} {_VERSION} (Blue Onyx)"
ANSI_COLOR="0;32"
LOGO="fedora-logo-icon"
CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
HOME_URL="https://rockylinux.org/"
SUPPORT_END="2032-05-31"
""",
    "etc/rocky-release": _RELEASE,
    "etc/redhat-release": _RELEASE,
    "etc/system-release": _RELEASE,
    "etc/issue": "\\S\nKernel \\r on an \\m\n",
    "etc/dnf/dnf.conf": """\
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
""",
}
# Debian's rpm keeps its database where Red Hat's does not; nothing that says Debian stays; nor
# does a plugin that keeps a repository of its own, which is off on Rocky.
_SCRIPT = """\
dpkg --install /debs/*.deb
cp -a /files/. /
mkdir -p /etc/rpm /etc/pki/rpm-gpg /etc/yum.repos.d /etc/dnf/modules.d
echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros
rpm --initdb
rpm --install --nodeps --force-debian /release.rpm
rm -rf /debs /files /release.rpm
rm -rf /etc/apt /etc/debian_version /etc/dpkg /etc/issue.net /usr/share/base-files /var/cache/apt /var/lib/apt
rm -rf /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/dpkg* /usr/lib/apt /usr/lib/dpkg /var/lib/dpkg
rm -f /etc/dnf/plugins/local.conf /usr/lib/python3/dist-packages/dnf-plugins/local.py
rm -rf /var/cache/dnf /var/log/dnf* /var/log/hawkey.log /var/log/apt /var/log/dpkg.log
"""


def key(base: str) -> str:
    """Changes whenever the recipe or the image that it begins with does."""
    sources = [Path(__file__), *(Path(module.__file__ or "") for module in (red_hat, rpm))]
    texts = [base, *(source.read_text() for source in sources)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def make(base: str, installed: Path, tar: Path, step: Step) -> None:
    """Write the root file system as a tar file. `base`: the image to begin with, `installed`: its dpkg status."""
    with scratch(SCRATCH) as folder:
        apt = Apt(SUITES[BASE], installed)
        apt.update(step)
        apt.download_with_dependencies(_PACKAGES, folder / "debs", step)
        for path, text in _FILES.items():
            write_atomically(folder / "files" / path, text)
        release = rpm.make(red_hat.release_package(), folder)
        put = {"/debs": folder / "debs", "/files": folder / "files", "/release.rpm": release}
        with workbench.finished(base, step, _SCRIPT, put) as container:
            step.at("packing")
            podman.podman("export", f"--output={tar}", container)
