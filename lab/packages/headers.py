"""The headers of the kernel that runs, without which DKMS builds nothing."""

from __future__ import annotations

from lab.packages.package import File, Package


def package(release: str) -> Package:
    """The headers of the kernel that runs: enough for DKMS to build against."""
    base = f"usr/src/linux-headers-{release}"
    hook = f"""\
if [ "$1" = configure ] && [ -d /etc/kernel/header_postinst.d ]; then
    run-parts --arg={release} /etc/kernel/header_postinst.d
fi
"""
    return Package(
        f"linux-headers-{release}",
        f"{release.replace('_', '.')}-1",
        f"Header files of Linux {release}",
        files=files(base, release),
        links={f"lib/modules/{release}/build": f"/{base}", f"lib/modules/{release}/source": f"/{base}"},
        scripts={"postinst": hook},
    )


def files(base: str, release: str) -> dict[str, File]:
    """The files of a kernel's headers that tell build tools that they are there."""
    return {
        f"{base}/Makefile": File(b"# Stand-in of the lab: nothing is compiled against it.\n"),
        f"{base}/.config": File(b"CONFIG_MODULES=y\nCONFIG_MODULE_UNLOAD=y\n# CONFIG_MODULE_SIG is not set\n"),
        f"{base}/include/config/kernel.release": File(f"{release}\n".encode()),
        f"{base}/include/linux/pci.h": File(b"/* Stand-in of the lab. */\n"),
    }
