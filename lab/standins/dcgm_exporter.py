#!/usr/bin/python3
"""Stands in for NVIDIA's dcgm-exporter on machines without a GPU: same flags, same CSV, same page, made-up values.

Shaped after the exporter's own source: pkg/cmd/app.go (flags, signals), internal/pkg/counters (the CSV),
internal/pkg/collector (blank values, XID and clock events), internal/pkg/rendermetrics (the page). One file, Python 3.9
and its standard library, since it is packed as /usr/bin/dcgm-exporter.

It sees the GPUs below /proc/driver/nvidia/gpus whose PCI device is in /sys/bus/pci/devices, with the driver of
/sys/module/nvidia/version, or asks the stand-in for nv-hostengine for them (-r). `fields.txt` in
/usr/share/dcgm-exporter-lab says which release it is and which fields that release knows (a copy of
roles/dcgm_exporter/files/fields/<release>.txt). DCGM_LAB_ROOT puts another root before these.

Faults are told by files in /run/dcgm-lab, read anew at each sample. `GPU` is an index or *.
  xid           a line `GPU CODE` per event; lines that were there when the exporter started are history to it
  overheat      `GPU [CELSIUS]`: hot, with the thermal bits of the clock event mask and clocks halved
  throttle      `GPU MASK`: further bits of the clock event mask, such as 4 or 0x88
  lose          `GPU`: it is not on the page any more
  ecc           `GPU SINGLE DOUBLE`: so many more ECC errors, volatile and aggregate
  remap         `GPU pending|failed|uncorrectable|correctable`: row remapping
  nvlink, pcie  `GPU COUNT`: replay errors
  unsupported   `GPU FIELD`: the field shows DCGM's number for "not supported", 9223372036854775794
  freeze        values stand still while /health says OK
  hang-on-stop  SIGTERM is logged and has no effect

Not there: MIG, NVSwitch and NVLink entities, CPU fields, the fields of GPU health and P2P. Their lines in the CSV are
taken and yield nothing, as on a host that has none of them.
"""

import csv
import ctypes
import ctypes.util
import hmac
import http.server
import json
import math
import os
import re
import select
import signal
import socket
import ssl
import sys
import threading
import time
from base64 import b64decode
from pathlib import Path

ROOT = Path(os.environ.get("DCGM_LAB_ROOT", "/"))
FAULTS = ROOT / "run/dcgm-lab"
FIELDS = ROOT / "usr/share/dcgm-exporter-lab/fields.txt"
NOT_SUPPORTED = 9223372036854775794
CAP_SYS_ADMIN = 21
XID_EVENTS, CLOCK_EVENTS = "DCGM_EXP_XID_ERRORS_COUNT", "DCGM_EXP_CLOCK_EVENTS_COUNT"
PROMETHEUS_TYPES = {"gauge", "counter", "histogram", "summary", "label"}

# Long name -> short name, environment variable, default. The type of the default is the type of the flag.
FLAGS = {
    "collectors": ("f", "DCGM_EXPORTER_COLLECTORS", "/etc/dcgm-exporter/default-counters.csv"),
    "address": ("a", "DCGM_EXPORTER_LISTEN", ":9400"),
    "collect-interval": ("c", "DCGM_EXPORTER_INTERVAL", 30000),
    "kubernetes": ("k", "DCGM_EXPORTER_KUBERNETES", False),
    "use-old-namespace": ("o", "DCGM_EXPORTER_USE_OLD_NAMESPACE", False),
    "cpu-devices": ("p", "DCGM_EXPORTER_CPU_DEVICES_STR", "f"),
    "configmap-data": ("m", "DCGM_EXPORTER_CONFIGMAP_DATA", "none"),
    "remote-hostengine-info": ("r", "DCGM_REMOTE_HOSTENGINE_INFO", "localhost:5555"),
    "kubernetes-enable-pod-labels": ("", "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS", False),
    "kubernetes-enable-pod-uid": ("", "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID", False),
    "kubernetes-gpu-id-type": ("", "DCGM_EXPORTER_KUBERNETES_GPU_ID_TYPE", "uid"),
    "kubernetes-pod-label-allowlist-regex": ("", "DCGM_EXPORTER_KUBERNETES_POD_LABEL_ALLOWLIST_REGEX", ""),
    "devices": ("d", "DCGM_EXPORTER_DEVICES_STR", "f"),
    "no-hostname": ("n", "DCGM_EXPORTER_NO_HOSTNAME", False),
    "switch-devices": ("s", "DCGM_EXPORTER_OTHER_DEVICES_STR", "f"),
    "fake-gpus": ("", "DCGM_EXPORTER_USE_FAKE_GPUS", False),
    "web-config-file": ("", "DCGM_EXPORTER_WEB_CONFIG_FILE", ""),
    "xid-count-window-size": ("x", "DCGM_EXPORTER_XID_COUNT_WINDOW_SIZE", 300000),
    "replace-blanks-in-model-name": ("rbmn", "DCGM_EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME", False),
    "debug": ("", "DCGM_EXPORTER_DEBUG", False),
    "clock-events-count-window-size": ("", "DCGM_EXPORTER_CLOCK_EVENTS_COUNT_WINDOW_SIZE", 300000),
    "enable-dcgm-log": ("", "DCGM_EXPORTER_ENABLE_DCGM_LOG", False),
    "dcgm-log-level": ("", "DCGM_EXPORTER_DCGM_LOG_LEVEL", "NONE"),
    "log-format": ("", "DCGM_EXPORTER_LOG_FORMAT", "text"),
    "pod-resources-kubelet-socket": (
        "",
        "DCGM_POD_RESOURCES_KUBELET_SOCKET",
        "/var/lib/kubelet/pod-resources/kubelet.sock",
    ),
    "hpc-job-mapping-dir": ("", "DCGM_HPC_JOB_MAPPING_DIR", ""),
    "nvidia-resource-names": ("", "NVIDIA_RESOURCE_NAMES", ""),
    "kubernetes-virtual-gpus": ("", "KUBERNETES_VIRTUAL_GPUS", False),
    "dump-enabled": ("", "DCGM_EXPORTER_DUMP_ENABLED", False),
    "dump-directory": ("", "DCGM_EXPORTER_DUMP_DIRECTORY", "/tmp/dcgm-exporter-debug"),  # noqa: S108 - upstream's
    "dump-retention": ("", "DCGM_EXPORTER_DUMP_RETENTION", 24),
    "dump-compression": ("", "DCGM_EXPORTER_DUMP_COMPRESSION", True),
    "kubernetes-enable-dra": ("", "KUBERNETES_ENABLE_DRA", False),
    "disable-startup-validate": ("", "DISABLE_STARTUP_VALIDATE", False),
    "enable-gpu-bind-unbind-watch": ("", "DCGM_EXPORTER_ENABLE_GPU_BIND_UNBIND_WATCH", False),
    "gpu-bind-unbind-poll-interval": ("", "DCGM_EXPORTER_GPU_BIND_UNBIND_POLL_INTERVAL", "1s"),
    "enable-pprof": ("", "DCGM_EXPORTER_ENABLE_PPROF", False),
    "web-systemd-socket": ("", "DCGM_EXPORTER_SYSTEMD_SOCKET", False),
}

# What a model can do: memory in MiB, power limit in W, highest SM and memory clock in MHz, NVLinks, data centre card
# (ECC, memory temperature, row remapping, profiling fields).
MODELS = (
    ("B200", 183359, 1000, 1965, 3996, 18, True),
    ("H200", 143771, 700, 1980, 3201, 18, True),
    ("H100", 81559, 700, 1980, 2619, 18, True),
    ("A100.*80GB", 81920, 400, 1410, 1593, 12, True),
    ("A100", 40960, 400, 1410, 1215, 12, True),
    ("L40S", 46068, 350, 2520, 9001, 0, True),
    ("L4", 23034, 72, 2040, 6251, 0, True),
    ("A10", 23028, 150, 1695, 6251, 0, True),
    ("T4", 15360, 70, 1590, 5001, 0, True),
    ("V100", 32768, 300, 1530, 877, 6, True),
    ("3060", 12288, 170, 2100, 7501, 0, False),
    ("4090", 24564, 450, 3105, 10501, 0, False),
    ("", 24576, 300, 2000, 8000, 0, False),
)

CLOCK_EVENT_NAMES = {
    1: "gpu_idle",
    2: "clocks_setting",
    4: "power_cap",
    8: "hw_slowdown",
    16: "sync_boost",
    32: "sw_thermal",
    64: "hw_thermal",
    128: "hw_power_brake",
    256: "display_clocks",
}
HW_SLOWDOWN, HW_THERMAL = 8, 64

XID_TEXTS = {
    13: "Graphics Engine Exception",
    31: "GPU memory page fault",
    43: "GPU stopped processing",
    48: "Double Bit ECC Error",
    62: "Internal micro-controller halt",
    63: "ECC page retirement or row remapping recording event",
    64: "ECC page retirement or row remapper recording failure",
    74: "NVLINK Error",
    79: "GPU has fallen off the bus",
    94: "Contained ECC error",
    95: "Uncontained ECC error",
    119: "GSP RPC Timeout",
    120: "GSP Error",
}


class FatalError(Exception):
    """What the exporter ends for, with status 1."""


def log(level, message, **more):
    """A line as Go's slog text handler writes it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000Z"
    extra = "".join(f" {key}={value}" for key, value in more.items())
    quoted = message.replace("\\", "\\\\").replace('"', '\\"')
    print(f'time={now} level={level} msg="{quoted}"{extra}', file=sys.stderr, flush=True)


def read(path, default=""):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return default


def known_fields():
    """The release, and the number of each field it knows."""
    text = read(FIELDS) or read(newest_in_the_repository())
    head, *lines = text.splitlines() or [""]
    version = re.search(r"dcgm-exporter (\S+):", head)
    if not version:
        raise FatalError(f"{FIELDS}: the list of fields is missing")
    return version[1], {name: int(number) for number, name in (line.split() for line in lines)}


def newest_in_the_repository():
    found = Path(__file__).resolve().parents[2].glob("roles/dcgm_exporter/files/fields/*.txt")
    return max(found, key=lambda file: [int(part) for part in file.stem.split(".")], default=FIELDS)


def options(arguments, environment):
    """Flags as urfave/cli takes them: one dash or two, `=` or a blank before the value, environment variables below.

    Raises FatalError for an unknown flag or a value of the wrong type.
    """
    names = {short: name for name, (short, _variable, _default) in FLAGS.items() if short}
    found = {name: environment[variable] for name, (_s, variable, _d) in FLAGS.items() if environment.get(variable)}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-") or argument == "-":
            break
        if argument == "--":
            break
        given, equals, value = argument.lstrip("-").partition("=")
        if given in ("help", "h", "version", "v"):
            return {"help": given[0] == "h", "version": given[0] == "v"}
        name = names.get(given, given)
        if name not in FLAGS:
            raise FatalError(f"flag provided but not defined: -{given}")
        if not equals:
            if isinstance(FLAGS[name][2], bool):
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise FatalError(f"flag needs an argument: -{given}")
        found[name] = value
    result = {name: typed(name, found.get(name), default) for name, (_s, _v, default) in FLAGS.items()}
    return {**result, "remote": "remote-hostengine-info" in found}


def typed(name, value, default):
    if value is None or not isinstance(default, (bool, int)):
        return default if value is None else value
    if isinstance(default, bool) and value.lower() in ("1", "t", "true", "0", "f", "false"):
        return value.lower() in ("1", "t", "true")
    if not isinstance(default, bool) and re.fullmatch(r"[+-]?\d+", value):
        return int(value)
    raise FatalError(f'invalid value "{value}" for flag -{name}: parse error')


def device_filter(text):
    """Which GPU indices `-d` asks for; None means all."""
    letter, colon, ranges = text.partition(":")
    if letter not in ("f", "g", "i"):
        raise FatalError(f"the only valid options preceding ':<range>' are 'g' or 'i', but found '{letter}'")
    if letter == "f" and colon:
        raise FatalError("no range can be specified with the flex option 'f'")
    if not colon:
        return None
    wanted = set()
    for part in ranges.split(","):
        first, _dash, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise FatalError(f"range can only be '<number>-<number>', but found '{part}'")
        wanted.update(range(int(first), int(last or first) + 1))
    return wanted


def records(text):
    """The records of a CSV as Go's encoding/csv reads them, with # for comments and a fixed number of fields."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if any('"' in part and not part.startswith('"') for part in line.split(",")):
            raise FatalError(f'parse error on line {number}: bare " in non-quoted field')
        record = next(csv.reader([line]))
        if found and len(record) != len(found[0]):
            raise FatalError(f"record on line {number}: wrong number of fields")
        found.append([part.strip(" ") for part in record])
    return found


def counters(file, fields, profiling):
    """The counters that a CSV asks for: (number, name, type, help) in the page's order."""
    try:
        found = records(Path(file).read_text())
    except OSError as error:
        raise FatalError(f"Could not read metrics file '{file}'; err: open {file}: {error.strerror.lower()}") from None
    except FatalError as error:
        raise FatalError(f"Could not read metrics file '{file}'; err: {error}") from None
    wanted = []
    for line, record in enumerate(found):
        if len(record) != 3:
            shown = "[" + " ".join(record) + "]"
            raise FatalError(f"malformed CSV record; err: failed to parse line {line} (`{shown}`), expected 3 fields")
        name, kind, text = record
        if name not in fields:
            raise FatalError(f"could not find DCGM field; err: unknown ExporterCounter field '{name}'")
        if 1000 <= fields[name] < 1100 and not profiling:
            log("WARN", f"Skipping line {line} ('{name}'): metric not enabled")
            continue
        if kind not in PROMETHEUS_TYPES:
            raise FatalError(f"could not find Prometheus metric type '{kind}'")
        wanted.append((fields[name], name, kind, text))
    return sorted(wanted)


class Gpu:
    """One GPU and its made-up life: load comes in waves, and all other values follow from it."""

    def __init__(self, index, address, information):
        self.index = index
        self.address = address
        self.model = information.get("Model", "NVIDIA Graphics Device")
        self.uuid = information.get("GPU UUID", f"GPU-{address}")
        self.memory, self.limit, self.top_clock, self.memory_clock, self.links, self.datacenter = next(
            entry[1:] for entry in MODELS if re.search(entry[0], self.model)
        )
        self.energy_mj = 0.0
        self.sent = 0.0
        self.at = time.time()
        self.xids = []  # (time, code)

    def load(self, now):
        """0 to 1: a wave of ten minutes, shifted from GPU to GPU, with a ripple."""
        wave = 0.55 + 0.4 * math.sin(now / 95.5 + 1.3 * self.index) + 0.05 * math.sin(now / 3.1 + self.index)
        return min(1.0, max(0.0, wave))

    def watts(self, now):
        return self.limit * (0.15 + 0.83 * self.load(now))

    def values(self, now, told):
        """Field -> value at `now` (seconds), integers and floats as DCGM types them; what the card lacks is left out.

        `told(fault)` lists the arguments of each line of a fault's file that is meant for this GPU.
        """
        seconds, self.at = max(0.0, now - self.at), now
        load, watts = self.load(now), self.watts(now)
        self.energy_mj += 1000 * seconds * watts
        self.sent += seconds * load * 2e10
        hot = [int(arguments[0]) if arguments else 95 for arguments in told("overheat")]
        mask = 4 if load > 0.97 else 1 if load < 0.12 else 0
        for (bits,) in told("throttle"):
            mask |= int(bits, 0)
        if hot:
            mask |= HW_SLOWDOWN | HW_THERMAL
        celsius = hot[0] if hot else int(32 + 43 * load)
        reserved = self.memory // 130
        used = int((self.memory - reserved) * (0.62 + 0.28 * load))
        clock = int(self.top_clock * (0.2 + 0.8 * load) * (0.5 if mask & 0xE8 else 1))
        single, double = (sum(int(arguments[i]) for arguments in told("ecc")) for i in (0, 1))
        remapped = [state for (state,) in told("remap")]
        found = {
            "SM_CLOCK": clock,
            "MEM_CLOCK": self.memory_clock,
            "MAX_SM_CLOCK": self.top_clock,
            "MAX_MEM_CLOCK": self.memory_clock,
            "CLOCKS_EVENT_REASONS": mask,
            "GPU_TEMP": celsius,
            "SLOWDOWN_TEMP": 92,
            "SHUTDOWN_TEMP": 97,
            "GPU_MAX_OP_TEMP": 87,
            "POWER_USAGE": watts,
            "POWER_MGMT_LIMIT": float(self.limit),
            "ENFORCED_POWER_LIMIT": float(self.limit),
            "TOTAL_ENERGY_CONSUMPTION": int(self.energy_mj),
            "PCIE_REPLAY_COUNTER": sum(int(count) for (count,) in told("pcie")),
            "GPU_UTIL": round(100 * load),
            "MEM_COPY_UTIL": round(60 * load),
            "ENC_UTIL": 0,
            "DEC_UTIL": 0,
            "PSTATE": 0 if load > 0.12 else 8,
            "FB_TOTAL": self.memory,
            "FB_USED": used,
            "FB_FREE": self.memory - reserved - used,
            "FB_RESERVED": reserved,
            "FB_USED_PERCENT": used / (self.memory - reserved),
            "VGPU_LICENSE_STATUS": 0,
        }
        if self.xids:
            found["XID_ERRORS"] = self.xids[-1][1]
        if self.datacenter:
            found.update(
                {
                    "MEMORY_TEMP": celsius + 6,
                    "MEM_MAX_OP_TEMP": 95,
                    "ECC_CURRENT": 1,
                    **{f"ECC_SBE_{which}_TOTAL": single for which in ("VOL", "AGG")},
                    **{f"ECC_DBE_{which}_TOTAL": double for which in ("VOL", "AGG")},
                    "RETIRED_SBE": 0,
                    "RETIRED_DBE": 0,
                    "RETIRED_PENDING": 0,
                    "UNCORRECTABLE_REMAPPED_ROWS": remapped.count("uncorrectable"),
                    "CORRECTABLE_REMAPPED_ROWS": remapped.count("correctable"),
                    "ROW_REMAP_FAILURE": int("failed" in remapped),
                    "ROW_REMAP_PENDING": int("pending" in remapped),
                }
            )
        if self.links:
            found.update(
                {
                    "NVLINK_BANDWIDTH_TOTAL": int(self.sent / 1e6),
                    "NVLINK_REPLAY_ERROR_COUNT_TOTAL": sum(int(count) for (count,) in told("nvlink")),
                    "NVLINK_RECOVERY_ERROR_COUNT_TOTAL": 0,
                    "NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL": 0,
                    "NVLINK_CRC_DATA_ERROR_COUNT_TOTAL": 0,
                }
            )
        found = {f"DCGM_FI_DEV_{name}": value for name, value in found.items()}
        found["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"] = mask
        if self.datacenter:
            shares = {"GR_ENGINE": 0.98, "SM": 0.9, "PIPE_TENSOR": 0.55, "DRAM": 0.6}
            found.update({f"DCGM_FI_PROF_{name}_ACTIVE": share * load for name, share in shares.items()})
            found["DCGM_FI_PROF_SM_OCCUPANCY"] = 0.4 * load
            found["DCGM_FI_PROF_PCIE_TX_BYTES"] = int(3.1e9 * load)
            found["DCGM_FI_PROF_PCIE_RX_BYTES"] = int(4.2e9 * load)
        found.update({name: NOT_SUPPORTED for (name,) in told("unsupported")})
        return found


def machine():
    """The driver's version (empty while none is loaded), and address -> information of each GPU."""
    driver = read(ROOT / "sys/module/nvidia/version").strip()
    folder, pci = ROOT / "proc/driver/nvidia/gpus", ROOT / "sys/bus/pci/devices"
    if not driver:
        return "", {}
    if not folder.is_dir():
        return driver, cards_on_the_bus(pci)
    here = [child for child in folder.iterdir() if not pci.is_dir() or (pci / child.name).exists()]
    return driver, {child.name: read(child / "information") for child in here}


def cards_on_the_bus(pci):
    """The same from the bus: a sandbox that mounts a /proc of its own hides what the lab lays over /proc/driver."""
    found = {}
    for device in pci.iterdir() if pci.is_dir() else ():
        if (device / "driver").is_symlink() and (device / "driver").readlink().name == "nvidia":
            try:
                card = json.loads(read(device / "rom"))
            except ValueError:
                continue
            found[device.name] = f"Model: {card['name']}\nGPU UUID: {card['uuid']}\n"
    return found


def hold_device():
    """Keep the driver's node open, as NVML does, so that nobody unloads the module; None where it is out of reach."""
    try:
        return (ROOT / "dev/nvidiactl").open("rb", buffering=0)
    except OSError:
        return None


def gpus_of(information):
    """In the order of their PCI addresses, which is how DCGM counts them."""
    found = []
    for address, text in sorted(information.items()):
        pairs = (line.partition(":") for line in text.splitlines())
        found.append(Gpu(len(found), address, {key.strip(): value.strip() for key, _colon, value in pairs}))
    return found


def fault_lines(fault):
    lines = (line.split() for line in read(FAULTS / fault).splitlines())
    return [line for line in lines if line and not line[0].startswith("#")]


def can_profile():
    found = re.search(r"^CapEff:\s+([0-9a-f]+)", read(Path("/proc/self/status")), re.MULTILINE)
    return bool(found and int(found[1], 16) >> CAP_SYS_ADMIN & 1)


class Exporter:
    """What stands behind the page: the CSV, the GPUs and the last sample of each."""

    def __init__(self, settings, version, fields, engine=None):
        self.settings, self.version, self.fields, self.engine = settings, version, fields, engine
        self.lock = threading.Lock()
        if engine:
            self.driver, information = json.loads(engine.makefile("r").readline())
        else:
            self.driver, information = machine()
            self.device = hold_device()
            if self.device is None and str(ROOT) == "/":
                information = {}
        wanted = device_filter(settings["devices"])
        self.gpus = [gpu for gpu in gpus_of(information) if wanted is None or gpu.index in wanted]
        if wanted and {gpu.index for gpu in self.gpus} != wanted:
            raise FatalError(f"couldn't find requested GPU IDs {sorted(wanted - {gpu.index for gpu in self.gpus})}")
        self.history = len(fault_lines("xid"))
        self.clock_events = []  # (time, GPU, bit)
        self.samples, self.sampled = {}, -math.inf
        self.profiling = any(gpu.datacenter for gpu in self.gpus) and (engine is not None or can_profile())
        if not self.profiling:
            log("INFO", "Not collecting DCP metrics: Profiling is not supported for this group of GPUs or GPU")
        self.reload()
        self.sample(time.time())

    def reload(self):
        """Read the CSV again. Raises FatalError, which ends the real exporter too."""
        self.counters = counters(self.settings["collectors"], self.fields, self.profiling)
        needing = [name for _number, name, _kind, _text in self.counters if name in (XID_EVENTS, CLOCK_EVENTS)]
        if needing and not self.gpus:
            raise FatalError(f"collector '{needing[0]}' cannot be initialized; err: entity type 'GPU' does not exist")
        self.modified = self.modification()

    def modification(self):
        """When the CSV was last written; 0 while it is not there."""
        try:
            return Path(self.settings["collectors"]).stat().st_mtime_ns
        except OSError:
            return 0

    def told(self, gpu):
        return lambda fault: [line[1:] for line in fault_lines(fault) if line[0] in ("*", str(gpu.index))]

    def sample(self, now):
        """New values, unless the collect interval is not over yet or the values stand still."""
        events = fault_lines("xid")
        fresh = events[self.history :]
        for gpu, code in fresh:
            for one in self.gpus:
                if gpu in ("*", str(one.index)):
                    one.xids.append((now, int(code)))
        self.history = len(events)
        if now - self.sampled < self.settings["collect-interval"] / 1000 and not fresh:
            return
        if (FAULTS / "freeze").exists() and self.samples:
            return
        self.sampled = now
        for gpu in self.gpus:
            before = self.samples.get(gpu.index, {}).get("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", 0)
            self.samples[gpu.index] = gpu.values(now, self.told(gpu))
            mask = self.samples[gpu.index]["DCGM_FI_DEV_CLOCKS_EVENT_REASONS"]
            self.clock_events += [(now, gpu.index, bit) for bit in CLOCK_EVENT_NAMES if mask & bit and mask != before]

    def page(self, now):
        """The page in upstream's shape: families by field number, series by GPU."""
        with self.lock:
            self.leave_with_the_engine()
            self.sample(now)
            return "".join(self.family(now, *counter) for counter in self.counters if counter[2] != "label")

    def leave_with_the_engine(self):
        """Upstream ends when a value cannot be had because the connection is gone."""
        if self.engine and select.select([self.engine], [], [], 0)[0] and not self.engine.recv(1, socket.MSG_PEEK):
            log("ERROR", "Could not retrieve metrics: Host engine connection invalid/disconnected")
            os._exit(1)

    def family(self, now, _number, name, kind, text):
        lost = {index for (index, *_rest) in fault_lines("lose")}
        series = [
            f"{name}{{{self.labels(gpu, more)}}} {spell(value)}\n"
            for gpu in self.gpus
            if not lost & {"*", str(gpu.index)}
            for more, value in self.values(now, name, gpu)
        ]
        return f"# HELP {name} {text}\n# TYPE {name} {kind}\n" + "".join(series) if series else ""

    def values(self, now, name, gpu):
        """(labels, value) of one family on one GPU."""
        if name in (XID_EVENTS, CLOCK_EVENTS):
            yield from self.event_counts(now, name, gpu)
        elif name in self.samples[gpu.index]:
            value = self.samples[gpu.index][name]
            if name == "DCGM_FI_DEV_XID_ERRORS":
                yield {"err_code": value, "err_msg": XID_TEXTS.get(value, "Unknown Error")}, value
            else:
                yield {}, value

    def event_counts(self, now, name, gpu):
        """How often each event came within the window; one series with 0 and without an event where none did."""
        if name == XID_EVENTS:
            window, label, found = self.settings["xid-count-window-size"], "xid", gpu.xids
        else:
            window, label = self.settings["clock-events-count-window-size"], "clock_event"
            found = [(at, CLOCK_EVENT_NAMES[bit]) for at, index, bit in self.clock_events if index == gpu.index]
        recent = [event for at, event in found if at > now - window / 1000]
        for event in dict.fromkeys(recent):
            yield {"window_size_in_ms": window, label: event}, recent.count(event)
        if not recent:
            yield {"window_size_in_ms": window}, 0

    def labels(self, gpu, more):
        model = re.sub(r"\s+", "-", gpu.model) if self.settings["replace-blanks-in-model-name"] else gpu.model
        found = {
            "gpu": gpu.index,
            "uuid" if self.settings["use-old-namespace"] else "UUID": gpu.uuid,
            "pci_bus_id": f"0000{gpu.address.upper()}",
            "device": f"nvidia{gpu.index}",
            "modelName": model,
        }
        if not self.settings["no-hostname"]:
            found[self.hostname_label()] = self.hostname()
        asked = {name for _number, name, kind, _text in self.counters if kind == "label"}
        told = {"DCGM_FI_DRIVER_VERSION": self.driver, "DCGM_FI_DEV_UUID": gpu.uuid, "DCGM_FI_DEV_NAME": gpu.model}
        # The counting collectors' own labels stand among the constant ones, by name.
        constant = {name: value for name, value in told.items() if name in asked}
        counted = {key: value for key, value in more.items() if not key.startswith("err_")}
        found.update(sorted({**constant, **counted}.items()))
        found.update({key: value for key, value in more.items() if key.startswith("err_")})
        return ",".join(f'{key}="{value}"' for key, value in found.items())

    def hostname_label(self):
        """`Hostname` was renamed after 4.8.2."""
        release = tuple(int(part) for part in self.version.rpartition("-")[2].split("."))
        return "Hostname" if release <= (4, 8, 2) else "hostname"

    def hostname(self):
        if self.settings["remote"]:
            return self.settings["remote-hostengine-info"].rpartition(":")[0].strip("[]") or "localhost"
        return os.environ.get("NODE_NAME") or socket.gethostname()


def spell(value):
    return f"{value:f}" if isinstance(value, float) else str(value)


def web_settings(file):
    """TLS and users from a web configuration of the exporter toolkit: a mapping of mappings, in block style."""
    found, section = {}, None
    for line in Path(file).read_text().splitlines():
        key, _colon, value = (part.strip().strip("'\"") for part in line.partition(":"))
        if not key or key.startswith(("#", "---")):
            continue
        if not line.startswith(" "):
            if key not in ("tls_server_config", "http_server_config", "basic_auth_users"):
                raise FatalError(f"yaml: unmarshal errors: field {key} not found in type web.Config")
            section = found.setdefault(key, {})
        elif section is not None:
            section[key] = value
    return found


def bcrypt_matches(password, hashed):
    """Whether libxcrypt, which every system has for its logins, makes the same hash of the password."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    made = library.crypt(password.encode(), hashed.replace("$2y$", "$2b$", 1).encode())
    return bool(made) and hmac.compare_digest(made.decode()[7:], hashed[7:])


class Handler(http.server.BaseHTTPRequestHandler):
    """`/`, `/health` and `/metrics`."""

    exporter = None
    users: dict = {}  # noqa: RUF012 - set once, before the first request

    def do_GET(self):
        if self.users and not self.allowed():
            self.answer(401, "Unauthorized\n", {"WWW-Authenticate": "Basic"})
        elif self.path.partition("?")[0] == "/metrics":
            self.answer(200, self.exporter.page(time.time()))
        elif self.path == "/health":
            self.answer(200, "OK", {"X-Registry-Available": "true"})
        elif self.path == "/":
            self.answer(200, "<html><head><title>GPU Exporter</title></head></html>\n", {"Content-Type": "text/html"})
        else:
            self.answer(404, "404 page not found\n")

    def allowed(self):
        kind, _blank, credentials = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return False
        user, _colon, password = b64decode(credentials).decode(errors="replace").partition(":")
        return user in self.users and bcrypt_matches(password, self.users[user])

    def answer(self, status, text, headers=None):
        body = text.encode()
        self.send_response(status)
        told = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", **(headers or {})}
        for name, value in {**told, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Upstream logs no requests."""


def server_for(settings):
    host, _colon, port = settings["address"].rpartition(":")
    host = host.strip("[]")
    web = web_settings(settings["web-config-file"]) if settings["web-config-file"] else {}
    Handler.users = web.get("basic_auth_users", {})

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
        daemon_threads = True

    server = Server((host or "::", int(port)), Handler)
    if "tls_server_config" in web:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(web["tls_server_config"]["cert_file"], web["tls_server_config"]["key_file"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def connect_to_engine(address):
    host, _colon, port = address.rpartition(":")
    try:
        return socket.create_connection((host.strip("[]") or address, int(port or 5555)), timeout=5)
    except OSError:
        log("ERROR", "Failed to connect to remote hostengine", address=address)
        raise FatalError("Verify nv-hostengine is running and listening on the expected address") from None


def serve(settings, version, fields):
    log("INFO", "Starting dcgm-exporter", Version=version)
    if settings["remote"]:
        log("INFO", f"Attempting to connect to remote hostengine at {settings['remote-hostengine-info']}")
        engine = connect_to_engine(settings["remote-hostengine-info"])
    else:
        log("INFO", "Attempting to initialize DCGM.")
        engine = None
    Handler.exporter = exporter = Exporter(settings, version, fields, engine)
    server = server_for(settings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log("INFO", "Listening on", address=settings["address"])
    caught = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: caught.append(received))
    while True:
        time.sleep(0.2)
        reload = exporter.modification() != exporter.modified
        while caught:
            number = caught.pop(0)
            log("INFO", "Received signal", signal=signal.strsignal(number).lower())
            if number == signal.SIGHUP:
                reload = True
            elif not (FAULTS / "hang-on-stop").exists():
                server.shutdown()
                log("INFO", "Shutdown complete")
                return
        if reload:
            log("INFO", "Config file changed - triggering hot reload")
            with exporter.lock:
                exporter.reload()


def main(arguments):
    try:
        version, fields = known_fields()
        settings = options(arguments, os.environ)
        if settings.get("version"):
            print(f"DCGM Exporter version {version}")
        elif settings.get("help"):
            print("NAME:\n   DCGM Exporter - Generates GPU metrics in the prometheus format\n\nOPTIONS:")
            print("\n".join(f"   --{name}" for name in FLAGS))
        else:
            serve(settings, version, fields)
    except FatalError as error:
        if "flag" in str(error):
            print(f"Incorrect Usage: {error}\n", file=sys.stderr)
        log("ERROR", str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
