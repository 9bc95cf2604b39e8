"""DCGM and dcgm-exporter, for both kinds of packages."""

from __future__ import annotations

from lab.packages import driver, units
from lab.packages.package import File
from lab.paths import ROOT

FIELDS = "usr/share/dcgm-exporter-lab/fields.txt"

# DCGM -> the exporter that goes with it, and the list of fields that it knows. Where that list belongs to an older
# pair, its first line is replaced.
PAIRS = {
    "4.5.2": ("4.8.1", "4.8.0.txt", ("4.5.1-4.8.0", "4.5.2-4.8.1")),
    "4.5.3": ("4.8.2", "4.8.2.txt", None),
}

_GAUGE, _COUNTER = "gauge", "counter"
# What the vendor's default-counters.csv enables: field, type, text.
COUNTERS = [
    ("DCGM_FI_DEV_SM_CLOCK", _GAUGE, "SM clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", _GAUGE, "Memory clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEMORY_TEMP", _GAUGE, "Memory temperature (in C)."),
    ("DCGM_FI_DEV_GPU_TEMP", _GAUGE, "GPU temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", _GAUGE, "Power draw (in W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", _COUNTER, "Total energy consumption since boot (in mJ)."),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", _COUNTER, "Total number of PCIe retries."),
    ("DCGM_FI_DEV_GPU_UTIL", _GAUGE, "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", _GAUGE, "Memory utilization (in %)."),
    ("DCGM_FI_DEV_ENC_UTIL", _GAUGE, "Encoder utilization (in %)."),
    ("DCGM_FI_DEV_DEC_UTIL", _GAUGE, "Decoder utilization (in %)."),
    ("DCGM_FI_DEV_XID_ERRORS", _GAUGE, "Value of the last XID error encountered."),
    ("DCGM_FI_DEV_FB_FREE", _GAUGE, "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_USED", _GAUGE, "Framebuffer memory used (in MiB)."),
    ("DCGM_FI_DEV_FB_RESERVED", _GAUGE, "Framebuffer memory reserved (in MiB)."),
    ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", _COUNTER, "Total number of NVLink bandwidth counters for all lanes."),
    ("DCGM_FI_DEV_VGPU_LICENSE_STATUS", _GAUGE, "vGPU License status"),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", _COUNTER, "Number of remapped rows for uncorrectable errors"),
    ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", _COUNTER, "Number of remapped rows for correctable errors"),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", _GAUGE, "Whether remapping of rows has failed"),
    ("DCGM_FI_DRIVER_VERSION", "label", "Driver Version"),
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", _GAUGE, "Ratio of time the graphics engine is active."),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", _GAUGE, "Ratio of cycles the tensor (HMMA) pipe is active."),
    ("DCGM_FI_PROF_DRAM_ACTIVE", _GAUGE, "Ratio of cycles the device memory interface is active."),
    ("DCGM_FI_PROF_PCIE_TX_BYTES", _GAUGE, "The rate of data transmitted over the PCIe bus (in bytes per second)."),
    ("DCGM_FI_PROF_PCIE_RX_BYTES", _GAUGE, "The rate of data received over the PCIe bus (in bytes per second)."),
]


def core_files(unit_folder: str) -> dict[str, File]:
    """nv-hostengine and its unit."""
    return {
        "usr/bin/nv-hostengine": driver.program("nv_hostengine.py"),
        f"{unit_folder}/nvidia-dcgm.service": File(units.DCGM.encode()),
    }


def exporter_files(dcgm: str, unit_folder: str) -> dict[str, File]:
    """The exporter that goes with this DCGM, its list of counters and its unit."""
    _, fields, renamed = PAIRS[dcgm]
    known = (ROOT / "roles/dcgm_exporter/files/fields" / fields).read_text()
    if renamed:
        head, rest = known.split("\n", 1)
        known = f"{head.replace(*renamed)}\n{rest}"
    csv = "# DCGM FIELD, Prometheus metric type, help message\n"
    csv += "".join(f"{name}, {kind}, {text}\n" for name, kind, text in COUNTERS)
    return {
        "usr/bin/dcgm-exporter": driver.program("dcgm_exporter.py"),
        "etc/dcgm-exporter/default-counters.csv": File(csv.encode(), config=True),
        f"{unit_folder}/nvidia-dcgm-exporter.service": File(units.DCGM_EXPORTER.encode()),
        FIELDS: File(known.encode()),
    }
