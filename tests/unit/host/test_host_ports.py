import os
import socket
from ipaddress import ip_address

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.host.ports import port_problem
from ansible_collections.gpufleet.serving.plugins.module_utils.host.processes import holders, units_of
from ansible_collections.gpufleet.serving.plugins.module_utils.host.sockets import (
    Listener,
    conflicting,
    listeners,
    parse_table,
)
from hypothesis import given
from hypothesis import strategies as st

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(local, state="0A", remote="00000000:0000", inode=1):
    """One line as the kernel prints it."""
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0 100 0 0\n"


# As on a running host: sshd on all addresses, Prometheus on loopback, an established connection to it.
TCP = (
    HEADER
    + row("00000000:0016", inode=4711)
    + row("0100007F:2382", inode=4712)
    + row("0100007F:2382", "01", "0100007F:C350", 4713)
)
ANY6 = "00000000000000000000000000000000:0000"
TCP6 = (
    HEADER
    + row("00000000000000000000000000000000:238C", remote=ANY6, inode=4714)
    + row("00000000000000000000000001000000:1F40", remote=ANY6, inode=4715)
    + row("0000000000000000FFFF00000100007F:1F41", remote=ANY6, inode=4716)
)


def listener(address, port=80, inode=1):
    return Listener(ip_address(address), port, inode)


def test_listening_sockets_are_read_from_both_tables():
    assert parse_table(TCP) == [listener("0.0.0.0", 22, 4711), listener("127.0.0.1", 9090, 4712)]  # noqa: S104
    assert parse_table(TCP6) == [
        listener("::", 9100, 4714),
        listener("::1", 8000, 4715),
        listener("127.0.0.1", 8001, 4716),
    ]


@pytest.mark.parametrize("text", ["", HEADER, HEADER + "\n", "garbage\ngarbage\n"])
def test_tables_without_listeners_give_none(text):
    assert parse_table(text) == []


@given(st.ip_addresses(v=4), st.integers(1, 65535))
def test_every_ipv4_address_is_read_back(address, port):
    raw = f"{int.from_bytes(address.packed, 'little'):08X}:{port:04X}"
    assert parse_table(f"{HEADER} 0: {raw} 0:0 0A 0 0 0 0 0 7\n") == [Listener(address, port, 7)]


@given(st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None), st.integers(1, 65535))
def test_every_ipv6_address_is_read_back(address, port):
    words = (address.packed[start : start + 4] for start in range(0, 16, 4))
    raw = "".join(f"{int.from_bytes(word, 'little'):08X}" for word in words) + f":{port:04X}"
    assert parse_table(f"{HEADER} 0: {raw} 0:0 0A 0 0 0 0 0 7\n") == [Listener(address, port, 7)]


@pytest.mark.parametrize(
    ("there", "wanted", "collides"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "0.0.0.0", True),  # noqa: S104
        ("127.0.0.1", "", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "::1", False),
        ("127.0.0.1", "localhost", True),
        ("::1", "localhost", True),
        ("::1", "[::1]", True),
        ("::1", "0.0.0.0", False),  # noqa: S104
        ("0.0.0.0", "10.0.0.1", True),  # noqa: S104
        ("::", "10.0.0.1", True),
        ("10.0.0.1", "gpu1.example.org", True),
    ],
)
def test_which_addresses_collide(there, wanted, collides):
    assert bool(conflicting([listener(there)], wanted, 80)) is collides
    assert conflicting([listener(there)], wanted, 81) == []


@pytest.mark.parametrize(
    ("cgroup", "units"),
    [
        ("0::/system.slice/prometheus.service\n", ("prometheus.service",)),
        ("0::/system.slice/system-vllm.slice/vllm@tiny.service/sub\n", ("vllm@tiny.service",)),
        (
            "9:name=systemd:/system.slice/ssh.service\n8:pids:/system.slice\n0::/system.slice/ssh.service\n",
            ("ssh.service",),
        ),
        ("9:name=systemd:/\n0::/init.scope\n", ("init.scope",)),
        (
            "0::/machine.slice/libpod-0123.scope/system.slice/prometheus.service\n",
            ("libpod-0123.scope", "prometheus.service"),
        ),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n",
            ("user@1000.service", "x.service"),
        ),
        ("0::/\n", ()),
        ("", ()),
    ],
)
def test_the_units_of_a_control_group(cgroup, units):
    assert units_of(cgroup) == units


@pytest.fixture
def proc(tmp_path):
    """A /proc in which Prometheus holds socket 4712 and sshd, in two processes, 4711."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TCP)

    def process(pid, comm, unit, inode):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "fd" / "0").symlink_to("/dev/null")
        (tmp_path / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")
        (tmp_path / str(pid) / "comm").write_text(f"{comm}\n")
        (tmp_path / str(pid) / "cgroup").write_text(f"0::/system.slice/{unit}\n")

    process(100, "sshd", "ssh.service", 4711)
    process(200, "prometheus", "prometheus.service", 4712)
    process(300, "sshd", "ssh.service", 4711)
    (tmp_path / "400").mkdir()
    return tmp_path


def test_holders_are_found_by_their_descriptors(proc):
    assert [str(process) for process in holders([4711], proc)] == [
        "sshd (pid 100, ssh.service)",
        "sshd (pid 300, ssh.service)",
    ]
    assert holders([1], proc) == []


def test_a_likely_holder_spares_the_search(proc):
    assert [process.pid for process in holders([4711], proc, first=300)] == [300]
    assert [process.pid for process in holders([4711], proc, first=200)] == [100, 300]


@pytest.mark.parametrize(
    ("address", "port", "owner", "said"),
    [
        ("0.0.0.0", 8080, None, None),  # noqa: S104
        ("127.0.0.1", 9090, "prometheus.service", None),
        ("127.0.0.1", 9090, "other.service", "taken by prometheus (pid 200, prometheus.service); choose another port"),
        ("127.0.0.1", 9090, None, "`systemctl disable --now prometheus.service`"),
        ("10.0.0.1", 22, "prometheus.service", "taken by sshd (pid 100, ssh.service), sshd (pid 300, ssh.service)"),
    ],
)
def test_a_port_is_free_or_the_units_own_or_a_problem(proc, address, port, owner, said):
    problem = port_problem(address, port, owner, proc)
    assert problem is None if said is None else said in problem


def test_a_holder_that_cannot_be_seen_is_said_to_be_so(proc):
    for name in ("100", "300"):
        (proc / name).rename(proc / f"hidden{name}")
    assert "cannot be seen from here" in port_problem("", 22, "ssh.service", proc)


def test_this_very_process_is_found():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (own,) = [one for one in listeners() if one.port == port]
        assert [process.pid for process in holders([own.inode], first=os.getpid())] == [os.getpid()]
        assert f"(pid {os.getpid()}" in port_problem("127.0.0.1", port, "no-such.service")
    assert port_problem("127.0.0.1", port, None) is None
