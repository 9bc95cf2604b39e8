"""The stand-in for dcgm-exporter: it must take and refuse what upstream does, and serve what the contract asks for."""

import http.client
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.filter.dcgm import dcgm_counters
from ansible_collections.gpufleet.serving.plugins.plugin_utils import contract
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "lab" / "standins" / "dcgm_exporter.py"
CONTRACT = ROOT / "roles" / "dcgm_exporter" / "files" / "monitoring" / "contracts" / "4.8.2.yml"
A100, GEFORCE = "NVIDIA A100-SXM4-80GB", "NVIDIA GeForce RTX 3060"
CAP_SYS_ADMIN = 21


def can_profile() -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return bool(int(re.search(r"CapEff:\s+(\w+)", status)[1], 16) >> CAP_SYS_ADMIN & 1)


class Machine:
    """A root folder with GPUs, and the stand-in that runs over it."""

    def __init__(self, root: Path) -> None:
        self.root, self.process = root, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.csv = root / "counters.csv"
        self.csv.write_text(dcgm_counters([], "4.8.2"))
        (root / "run/dcgm-lab").mkdir(parents=True)

    def add_gpus(self, *models: str, driver: str = "580.95.05") -> None:
        for index, model in enumerate(models):
            address = f"0000:{index + 0x3B:02x}:00.0"
            (self.root / "sys/bus/pci/devices" / address).mkdir(parents=True)
            folder = self.root / "proc/driver/nvidia/gpus" / address
            folder.mkdir(parents=True)
            (folder / "information").write_text(f"Model: \t\t {model}\nGPU UUID: \t GPU-{index}\nIRQ:   \t\t 12\n")
        (self.root / "sys/module/nvidia").mkdir(parents=True)
        (self.root / "sys/module/nvidia/version").write_text(f"{driver}\n")

    def release(self, version: str) -> None:
        (self.root / "usr/share/dcgm-exporter-lab").mkdir(parents=True)
        fields = (ROOT / "roles/dcgm_exporter/files/fields/4.8.2.txt").read_text()
        (self.root / "usr/share/dcgm-exporter-lab/fields.txt").write_text(fields.replace("4.5.3-4.8.2", version))

    def command(self, *flags: str) -> list[str]:
        own = ("-f", str(self.csv), f"--address=127.0.0.1:{self.port}", "-c", "100")
        return [sys.executable, str(PROGRAM), *own, *flags]

    def run(self, *flags: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*flags), env=self.environment, capture_output=True, text=True, timeout=20, check=False
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DCGM_LAB_ROOT": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, *flags: str, ready: int = 200) -> None:
        self.process = subprocess.Popen(
            self.command(*flags), env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        for _attempt in range(100):
            try:
                self.get("/health")
                return
            except urllib.error.HTTPError as error:
                assert error.code == ready
                return
            except urllib.error.URLError:
                assert self.process.poll() is None, self.process.stderr.read()
                time.sleep(0.05)
        raise AssertionError("it never answered")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=5)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read()

    def page(self) -> dict[str, dict[str, float]]:
        """Family -> GPU index (or XID behind it) -> value."""
        time.sleep(0.12)
        found: dict[str, dict[str, float]] = {}
        for line in self.get("/metrics").decode().splitlines():
            if not line.startswith("#"):
                name, labels, value = re.fullmatch(r"(\w+){(.*)} (\S+)", line).groups()
                gpu = re.search(r'gpu="(\d+)"', labels)[1]
                xid = re.search(r'xid="(\d+)"', labels)
                found.setdefault(name, {})[gpu + (f"/{xid[1]}" if xid else "")] = float(value)
        return found

    def tell(self, fault: str, text: str = "") -> None:
        (self.root / "run/dcgm-lab" / fault).write_text(f"{text}\n")


@pytest.fixture
def machine(tmp_path):
    found = Machine(tmp_path)
    yield found
    if found.process and found.process.poll() is None:
        found.process.kill()
        found.process.wait()


@pytest.fixture
def two(machine):
    machine.add_gpus(A100, A100)
    machine.start()
    return machine


def test_the_page_keeps_the_contract_of_the_role(two):
    wanted = contract.load(CONTRACT.read_text(encoding="utf-8"), "contract")
    assert contract.check(judge(two.get("/metrics")), wanted) == []


def test_a_series_has_upstreams_labels_in_upstreams_order(two):
    (line,) = re.findall(r'^DCGM_FI_DEV_GPU_TEMP{gpu="0".*', two.get("/metrics").decode(), re.MULTILINE)
    assert re.fullmatch(
        r'DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-0",pci_bus_id="00000000:3B:00.0",device="nvidia0",'
        r'modelName="NVIDIA A100-SXM4-80GB",Hostname="[^"]+",DCGM_FI_DRIVER_VERSION="580.95.05"} \d+',
        line,
    )


def test_values_agree_with_one_another_and_move(two):
    first = two.page()
    time.sleep(0.5)
    second = two.page()
    for gpu in ("0", "1"):
        now = {name.removeprefix("DCGM_FI_DEV_"): found[gpu] for name, found in second.items() if gpu in found}
        assert now["FB_USED"] + now["FB_FREE"] + now["FB_RESERVED"] == now["FB_TOTAL"] == 81920
        joules = (now["TOTAL_ENERGY_CONSUMPTION"] - first["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"][gpu]) / 1000
        assert 0.3 * now["POWER_USAGE"] < joules < 2 * now["POWER_USAGE"]
        assert now["POWER_USAGE"] < now["POWER_MGMT_LIMIT"] == 400


@pytest.mark.skipif(not can_profile(), reason="profiling fields need CAP_SYS_ADMIN, here as there")
def test_utilisation_follows_the_load_in_every_field(two):
    page = two.page()
    for gpu in ("0", "1"):
        busy = page["DCGM_FI_DEV_GPU_UTIL"][gpu] / 100
        assert page["DCGM_FI_PROF_GR_ENGINE_ACTIVE"][gpu] == pytest.approx(busy, abs=0.06)
        assert page["DCGM_FI_PROF_SM_ACTIVE"][gpu] <= page["DCGM_FI_PROF_GR_ENGINE_ACTIVE"][gpu]


def test_a_card_without_ecc_nvlink_and_memory_sensor_says_nothing_of_them(machine):
    machine.add_gpus(GEFORCE)
    machine.start()
    missing = {"MEMORY_TEMP", "ECC_DBE_VOL_TOTAL", "ROW_REMAP_PENDING", "NVLINK_BANDWIDTH_TOTAL", "XID_ERRORS"}
    assert missing & {name.removeprefix("DCGM_FI_DEV_") for name in machine.page()} == set()
    wanted = contract.load(CONTRACT.read_text(encoding="utf-8"), "contract")
    assert contract.check(judge(machine.get("/metrics")), wanted) == []


def test_an_xid_is_absent_until_it_comes_and_is_counted_by_its_number(two):
    assert "DCGM_FI_DEV_XID_ERRORS" not in two.page()
    assert two.page()["DCGM_EXP_XID_ERRORS_COUNT"] == {"0": 0, "1": 0}
    two.tell("xid", "1 79\n1 79\n1 48")
    assert two.page()["DCGM_FI_DEV_XID_ERRORS"] == {"1": 48}
    assert two.page()["DCGM_EXP_XID_ERRORS_COUNT"] == {"0": 0, "1/79": 2, "1/48": 1}
    assert b'err_code="48",err_msg="Double Bit ECC Error"' in two.get("/metrics")


def test_xids_from_before_the_start_are_history(machine):
    machine.add_gpus(A100)
    machine.tell("xid", "0 79")
    machine.start()
    assert machine.page()["DCGM_EXP_XID_ERRORS_COUNT"] == {"0": 0}


def test_faults_show_where_they_would(two):
    two.tell("overheat", "0 96")
    two.tell("throttle", "1 0x84")
    two.tell("ecc", "* 5 1")
    two.tell("remap", "0 pending\n1 failed")
    two.tell("pcie", "0 12")
    two.tell("nvlink", "1 3")
    two.tell("unsupported", "1 DCGM_FI_DEV_MEMORY_TEMP")
    page = {name.removeprefix("DCGM_FI_DEV_"): found for name, found in two.page().items()}
    assert page["GPU_TEMP"]["0"] == 96
    assert int(page["CLOCKS_EVENT_REASONS"]["0"]) & 0x48 == 0x48
    assert int(page["CLOCKS_EVENT_REASONS"]["1"]) & 0x84 == 0x84
    assert page["ECC_SBE_VOL_TOTAL"] == {"0": 5, "1": 5}
    assert page["ECC_DBE_AGG_TOTAL"] == {"0": 1, "1": 1}
    assert page["ROW_REMAP_PENDING"] == {"0": 1, "1": 0}
    assert page["ROW_REMAP_FAILURE"] == {"0": 0, "1": 1}
    assert page["PCIE_REPLAY_COUNTER"] == {"0": 12, "1": 0}
    assert page["NVLINK_REPLAY_ERROR_COUNT_TOTAL"] == {"0": 0, "1": 3}
    assert page["MEMORY_TEMP"]["1"] > 9.2e18
    two.tell("lose", "0")
    assert set(two.page()["DCGM_FI_DEV_FB_USED"]) == {"1"}


def test_frozen_values_stand_still_while_it_says_that_all_is_well(two):
    two.page()
    two.tell("freeze")
    first = two.page()
    time.sleep(0.3)
    assert two.page() == first
    assert two.get("/health") == b"OK"


def test_it_ends_when_asked_unless_told_to_hang(two):
    two.tell("hang-on-stop")
    with pytest.raises(subprocess.TimeoutExpired):
        two.stop()
    (two.root / "run/dcgm-lab/hang-on-stop").unlink()
    assert two.stop() == 0


def test_a_changed_csv_is_taken_up_and_a_wrong_one_ends_it(two):
    two.csv.write_text("DCGM_FI_DEV_GPU_TEMP, gauge, Hot\nDCGM_EXP_CLOCK_EVENTS_COUNT, counter, Events\n")
    two.process.send_signal(signal.SIGHUP)
    time.sleep(0.6)
    assert set(two.page()) == {"DCGM_FI_DEV_GPU_TEMP", "DCGM_EXP_CLOCK_EVENTS_COUNT"}
    two.csv.write_text("DCGM_FI_DEV_GPU_TMP, gauge, Hot\n")
    assert two.process.wait(timeout=5) == 1


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ("DCGM_FI_DEV_GPU_TMP, gauge, x\n", "unknown ExporterCounter field 'DCGM_FI_DEV_GPU_TMP'"),
        ("DCGM_FI_DEV_GPU_TEMP, gouge, x\n", "could not find Prometheus metric type 'gouge'"),
        ("DCGM_FI_DEV_GPU_TEMP, gauge\n", "expected 3 fields"),
        ("DCGM_FI_DEV_GPU_TEMP, gauge, a\nDCGM_FI_DEV_FB_USED, gauge, a, b\n", "wrong number of fields"),
        ('DCGM_FI_DEV_GPU_TEMP, gauge, "x"\n', 'bare \\" in non-quoted field'),
    ],
)
def test_a_csv_that_upstream_refuses_is_refused(machine, csv, said):
    machine.add_gpus(A100)
    machine.csv.write_text(csv)
    done = machine.run()
    assert done.returncode == 1
    assert said in done.stderr


def test_comments_blank_lines_and_blanks_around_columns_are_none(machine):
    machine.add_gpus(A100)
    machine.csv.write_text("# a, comment\n\nDCGM_FI_DEV_DEC_UTIL ,     gauge, Decoder.\n")
    machine.start()
    assert b"# HELP DCGM_FI_DEV_DEC_UTIL Decoder.\n# TYPE DCGM_FI_DEV_DEC_UTIL gauge\n" in machine.get("/metrics")


@pytest.mark.parametrize("flag", ["--nonsense", "-z", "--collect-interval=often", "--kubernetes=perhaps"])
def test_flags_that_upstream_does_not_know_end_it(machine, flag):
    done = machine.run(flag)
    assert done.returncode == 1
    assert "Incorrect Usage: " in done.stderr


def test_version_parses_the_flags_before_it_and_starts_nothing(machine):
    done = machine.run("--debug=true", "--version")
    assert (done.returncode, done.stdout) == (0, "DCGM Exporter version 4.5.3-4.8.2\n")
    assert machine.run("--nonsense", "--version").returncode == 1


def test_without_a_driver_the_xid_counter_ends_it_as_it_does_upstream(machine):
    done = machine.run()
    assert done.returncode == 1
    assert "entity type 'GPU' does not exist" in done.stderr


def test_without_an_engine_at_the_other_end_it_ends(machine):
    machine.add_gpus(A100)
    done = machine.run("-r", "127.0.0.1:1")
    assert done.returncode == 1
    assert "Failed to connect to remote hostengine" in done.stderr


def test_cards_are_found_on_the_bus_where_a_sandbox_hides_the_drivers_folder(machine):
    machine.add_gpus(A100)
    shutil.rmtree(machine.root / "proc")
    for address, driver in (("0000:3b:00.0", "nvidia"), ("0000:3c:00.0", "nouveau")):
        device = machine.root / "sys/bus/pci/devices" / address
        device.mkdir(exist_ok=True)
        (device / "driver").symlink_to(f"../../drivers/{driver}")
        (device / "rom").write_text(json.dumps({"name": A100, "uuid": f"GPU-{driver}"}))
    machine.start()
    assert re.findall(r'FB_USED{gpu="(\d)",UUID="([^"]+)"', machine.get("/metrics").decode()) == [("0", "GPU-nvidia")]


def test_the_engine_tells_it_of_the_gpus_and_takes_it_along_when_it_goes(machine):
    machine.add_gpus(A100, A100)
    engine = subprocess.Popen(
        [sys.executable, str(PROGRAM.with_name("nv_hostengine.py")), "-n", "-p", str(machine.port + 1)],
        env=machine.environment,
        stdout=subprocess.PIPE,
    )
    try:
        assert b"Host Engine Listener Started" in engine.stdout.readline()
        machine.start("-r", f"127.0.0.1:{machine.port + 1}")
        assert set(machine.page()["DCGM_FI_DEV_FB_USED"]) == {"0", "1"}
        assert b'Hostname="127.0.0.1"' in machine.get("/metrics")
    finally:
        engine.kill()
        engine.wait()
        engine.stdout.close()
    with pytest.raises((ConnectionError, http.client.HTTPException, urllib.error.URLError)):
        machine.get("/metrics")
    assert machine.process.wait(timeout=5) == 1


def test_chosen_devices_only_and_none_that_are_not_there(machine):
    machine.add_gpus(A100, A100, A100)
    machine.start("-d", "g:0,2")
    assert set(machine.page()["DCGM_FI_DEV_FB_USED"]) == {"0", "2"}
    assert machine.run("-d", "g:7").returncode == 1


@pytest.mark.parametrize(("release", "label"), [("4.5.3-4.8.2", "Hostname"), ("4.6.0-4.9.0", "hostname")])
def test_the_label_of_the_host_has_the_name_of_its_release(machine, release, label):
    machine.add_gpus(A100)
    machine.release(release)
    machine.start()
    assert f',{label}="' in machine.get("/metrics").decode()


def test_a_web_configuration_asks_for_a_password(machine):
    machine.add_gpus(A100)
    web = machine.root / "web.yml"
    # From the test vectors of crypt_blowfish: the password is U*U.
    web.write_text("basic_auth_users:\n  alice: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n")
    machine.start("--web-config-file", str(web), ready=401)
    opener = urllib.request.build_opener()
    for password, status in (("U*U", 200), ("U*V", 401)):
        credentials = b64encode(f"alice:{password}".encode()).decode()
        opener.addheaders = [("Authorization", f"Basic {credentials}")]
        try:
            with opener.open(f"http://127.0.0.1:{machine.port}/health", timeout=5) as answer:
                assert answer.status == status
        except urllib.error.HTTPError as error:
            assert error.code == status


def test_it_is_one_file_of_the_standard_library_alone():
    spec = importlib.util.spec_from_file_location("standin", PROGRAM)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    imported = set(re.findall(r"^(?:import|from) (\w+)", PROGRAM.read_text(encoding="utf-8"), re.MULTILINE))
    assert imported <= set(sys.stdlib_module_names)
