"""The first error of a make.log: logs as gcc, make, ld and NVIDIA's Makefile write them."""

from __future__ import annotations

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.make_log import parse

BUILD = "/var/lib/dkms/nvidia-current-open/550.163.01/build"
HEADERS = "/usr/src/linux-headers-6.12.117+deb13-common"

# What building nvidia-open-kernel-dkms 550.163.01 against 6.12.117+deb13-cloud-amd64 ends with on Debian 13, shortened;
# the warnings are those of other hosts.
DEBIAN13 = f"""\
DKMS (dkms-3.2.1) make.log for nvidia-current-open/550.163.01 for kernel 6.12.117+deb13-cloud-amd64 (x86_64)
Wed Nov 25 07:58:12 UTC 2026
Running the pre_build script
# command: 'make' -j2 NV_EXCLUDE_BUILD_MODULES='' KERNEL_UNAME=6.12.117+deb13-cloud-amd64 modules
make[1]: Entering directory '/usr/src/linux-headers-6.12.117+deb13-cloud-amd64'
make[2]: Entering directory '{BUILD}'
warning: the compiler differs from the one used to build the kernel
  The kernel was built by: x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0
  You are using:           gcc-14 (Debian 14.2.0-19) 14.2.0
 CONFTEST: hash__remap_4k_pfn
 CONFTEST: set_pages_uc
  CC [M]  {BUILD}/nvidia/nv-pci.o
{BUILD}/nvidia/nv-acpi.c: In function 'nv_acpi_notifier':
{BUILD}/nvidia/nv-acpi.c:103:17: warning: unused variable 'nv' [-Wunused-variable]
{BUILD}/nvidia/nv-pci.c: In function 'nv_resize_pcie_bars':
{BUILD}/nvidia/nv-pci.c:237:9: error: too few arguments to function \u2018pci_resize_resource\u2019
  237 |     r = pci_resize_resource(pci_dev, NV_GPU_BAR1, requested_size);
      |         ^~~~~~~~~~~~~~~~~~~
In file included from {BUILD}/nvidia/nv-pci-table.h:27:
{HEADERS}/include/linux/pci.h:1421:18: note: declared here
{BUILD}/nvidia/nv-vm.c:12:1: error: another one that must not be told
make[4]: *** [{HEADERS}/scripts/Makefile.build:252: {BUILD}/nvidia/nv-pci.o] Error 1
make[4]: *** Waiting for unfinished jobs....
make[3]: *** [{HEADERS}/Makefile:1985: {BUILD}] Error 2
make: *** [Makefile:80: modules] Error 2
# exit code: 2
"""


def test_the_log_of_debian_13():
    log = parse(DEBIAN13)
    assert (log.module, log.version, log.kernel) == ("nvidia-current-open", "550.163.01", "6.12.117+deb13-cloud-amd64")
    assert log.compiler == "gcc-14 (Debian 14.2.0-19) 14.2.0"
    assert str(log) == "nvidia/nv-pci.c:237: too few arguments to function \u2018pci_resize_resource\u2019"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("DKMS make.log for nvidia-535.309.01 for kernel 6.1.0-56-amd64 (x86_64)",
         ("nvidia", "535.309.01", "6.1.0-56-amd64")),
        ("DKMS make.log for nvidia-378-378.09 for kernel 4.10.0-7-generic (x86_64)",
         ("nvidia-378", "378.09", "4.10.0-7-generic")),
        ("DKMS (dkms-3.1.0) make.log for nvidia/580.95.05 for kernel 5.14.0-503.el9.x86_64 (x86_64)",
         ("nvidia", "580.95.05", "5.14.0-503.el9.x86_64")),
        ("make: Entering directory '/x'", ("", "", "")),
    ],
)  # fmt: skip
def test_heads(line, found):
    log = parse(f"{line}\n")
    assert (log.module, log.version, log.kernel) == found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        # gcc in a language with other quotation marks.
        ("nv-pci.c:237:9: error: too few arguments to function \u2018pci_resize_resource\u2019; expected 4, have 3",
         "nv-pci.c:237: too few arguments to function \u2018pci_resize_resource\u2019; expected 4, have 3"),
        # A header that is not there ends the compilation.
        (f"{BUILD}/nvidia/nv.c:1:10: fatal error: generated/autoconf.h: No such file or directory",
         "nvidia/nv.c:1: generated/autoconf.h: No such file or directory"),
        # NVIDIA's conftest.
        (f"{BUILD}/conftest/functions.h:71:2: error: #error dma_buf_export() conftest failed!",
         "conftest/functions.h:71: #error dma_buf_export() conftest failed!"),
        # Proprietary modules on a kernel that exports less.
        ("  MODPOST Module.symvers\n"
         "ERROR: modpost: GPL-incompatible module nvidia.ko uses GPL-only symbol 'rcu_read_unlock_strict'\n"
         "make[2]: *** [scripts/Makefile.modpost:133: Module.symvers] Error 1",
         "modpost: GPL-incompatible module nvidia.ko uses GPL-only symbol 'rcu_read_unlock_strict'"),
        ("FATAL: modpost: GPL-incompatible module nvidia-uvm.ko uses GPL-only symbol 'radix_tree_preloads'",
         "modpost: GPL-incompatible module nvidia-uvm.ko uses GPL-only symbol 'radix_tree_preloads'"),
        # The kernel was built by a newer compiler.
        ("gcc: error: unrecognized command-line option \u2018-fmin-function-alignment=16\u2019\n"
         "make: *** [Makefile:9: x.o] Error 1",
         "gcc: error: unrecognized command-line option \u2018-fmin-function-alignment=16\u2019"),
        ("/bin/sh: 1: gcc-13: not found\nmake[1]: *** [x] Error 127", "/bin/sh: 1: gcc-13: not found"),
        ("gcc-99 -c a.c\nmake: gcc-99: No such file or directory\nmake: *** [Makefile:7: missing] Error 127",
         "gcc-99: No such file or directory"),
        # The linker.
        ("/usr/bin/ld: /tmp/ccXK4z75.o: in function `main':\nl.c:(.text+0xa): undefined reference to `g'\n"
         "collect2: error: ld returned 1 exit status", "l.c:(.text+0xa): undefined reference to `g'"),
        # Headers that are gone.
        ("make: *** /lib/modules/6.1.0-99-amd64/build: No such file or directory.  Stop.",
         "/lib/modules/6.1.0-99-amd64/build: No such file or directory.  Stop."),
        ("*** Unable to determine the target kernel version. ***\n\nmake: *** [select_makefile] Error 1",
         "Unable to determine the target kernel version."),
        ("  ERROR: Kernel configuration is invalid.", "Kernel configuration is invalid."),
        # The disk, and the memory.
        ("fatal error: error writing to /tmp/ccX.s: No space left on device",
         "fatal error: error writing to /tmp/ccX.s: No space left on device"),
        ("gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.",
         "gcc: fatal error: Killed signal terminated program cc1"),
        # Nothing but make's own last words.
        ("make[1]: *** Waiting for unfinished jobs....\nmake: *** [Makefile:82: modules] Error 2",
         "[Makefile:82: modules] Error 2"),
        ("something went wrong\n\n", "something went wrong"),
        ("", "the log is empty"),
    ],
)  # fmt: skip
def test_the_first_error(text, error):
    assert str(parse(text)) == error


def test_what_only_looks_like_an_error():
    """make prints its recipes, and among them the words of errors that did not happen."""
    text = (
        "test -e include/generated/autoconf.h || (  \\\n"
        '    echo >&2 "  ERROR: Kernel configuration is invalid.";  \\\n'
        "    /bin/false)\n"
        "cc1: some warnings being treated as errors\n"
        "/b/build/x.c:3:1: warning: this says error: but is none\n"
        "/b/build/y.c:44:11: error: no previous prototype for 'f' [-Werror=missing-prototypes]\n"
    )
    assert str(parse(text)) == "y.c:44: no previous prototype for 'f' [-Werror=missing-prototypes]"
