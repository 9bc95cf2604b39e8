import json
import os
import pwd
from types import SimpleNamespace

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.serving.plugins.module_utils.host.access import access_problems, blocked_paths
from ansible_collections.gpufleet.serving.plugins.module_utils.host.accounts import AsUserError, account, run_as
from ansible_collections.gpufleet.serving.plugins.module_utils.host.clock import clock_problem
from ansible_collections.gpufleet.serving.plugins.module_utils.host.disks import Need, disk_problems
from ansible_collections.gpufleet.serving.plugins.module_utils.host.system import (
    Host,
    host_problems,
    memory_mb,
    os_release,
    read_host,
    systemd_version,
)
from ansible_collections.gpufleet.serving.plugins.modules import host_preflight
from hypothesis import given
from hypothesis import strategies as st

ME = pwd.getpwuid(os.geteuid()).pw_name
ROOT = os.geteuid() == 0
DEBIAN = Host("x86_64", "debian", "12", (), 252, "3.11.2", 16000)
ROCKY = Host("aarch64", "rocky", "9.4", ("rhel", "centos", "fedora"), 252, "3.9.18", 16000)


@pytest.mark.parametrize(
    ("host", "arch", "systems", "systemd", "memory", "said"),
    [
        (DEBIAN, [], [], 0, 0, []),
        (DEBIAN, ["x86_64"], [{"distribution": "debian", "versions": ["12", "13"]}], 239, 16000, []),
        (DEBIAN, ["aarch64"], [], 0, 0, ["its architecture is x86_64; supported: aarch64"]),
        (
            DEBIAN,
            [],
            [{"distribution": "debian", "versions": ["13"]}],
            0,
            0,
            ["it runs debian 12; supported: debian 13"],
        ),
        (DEBIAN, [], [], 253, 0, ["systemd is 252; 253 or newer is needed"]),
        (DEBIAN, [], [], 0, 16001, ["16000 MiB of memory; 16001 are needed"]),
        (ROCKY, [], [{"distribution": "rhel", "versions": ["9"]}], 0, 0, []),
        (ROCKY, [], [{"distribution": "rhel", "versions": ["8"]}], 0, 0, ["it runs rocky 9.4; supported: rhel 8"]),
        (ROCKY, [], [{"distribution": "fedora", "versions": []}], 0, 0, []),
    ],
)
def test_what_is_wrong_with_a_host(host, arch, systems, systemd, memory, said):
    problems = host_problems(host, arch, systems, systemd, memory)
    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems, strict=True))


def test_version_9_does_not_mean_90():
    host = Host("x86_64", "rocky", "90.1", (), 252, "3.9", 1)
    assert host_problems(host, [], [{"distribution": "rocky", "versions": ["9"]}], 0, 0)


def test_a_host_is_read_from_its_files(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc").mkdir()
    (tmp_path / "etc/os-release").write_text(
        '# comment\nNAME="Rocky Linux"\nID="rocky"\nVERSION_ID=\'9.4\'\nID_LIKE="rhel centos"\nEMPTY=\n'
    )
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16384000 kB\nMemFree: 1 kB\n")
    host = read_host("systemd 252 (252.39-1~deb12u2)\n+PAM", tmp_path)
    assert (host.os_id, host.os_version, host.os_like, host.memory_mb) == ("rocky", "9.4", ("rhel", "centos"), 16000)
    assert host.systemd == 0, "installed, but not what the host was booted with"
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert read_host("systemd 252 (252.39)", tmp_path).systemd == 252


def test_odd_files_are_no_crash(tmp_path):
    assert os_release(tmp_path) == {}
    assert systemd_version("") == 0
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("")
    assert memory_mb(tmp_path) == 0


@pytest.mark.parametrize(
    ("now", "reference", "said"),
    [(1000, None, None), (1000, 1250, None), (1000, 1500, "500 s behind"), (1000, 400, "600 s ahead")],
)
def test_a_wrong_clock(now, reference, said):
    problem = clock_problem(now, reference, 300)
    assert problem is None if said is None else said in problem


def disk(free_mib, inodes=10**6, files=10**7):
    return lambda path: SimpleNamespace(f_bavail=free_mib * 256, f_frsize=4096, f_files=files, f_favail=inodes)


def test_needs_on_one_file_system_are_added_up(tmp_path):
    needs = [Need(str(tmp_path / "a"), 60), Need(str(tmp_path / "not" / "there"), 50)]
    assert disk_problems(needs, disk(110)) == []
    (problem,) = disk_problems(needs, disk(109))
    assert "109 MiB are free on its file system, 110 are needed" in problem
    assert f"{tmp_path}/a (60 MiB) and {tmp_path}/not/there (50 MiB)" in problem


def test_inodes_count_where_there_is_such_a_thing(tmp_path):
    assert "inodes" in disk_problems([Need(str(tmp_path), 1)], disk(100, inodes=10))[0]
    assert disk_problems([Need(str(tmp_path), 1)], disk(100, inodes=0, files=0)) == []


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=5), st.integers(0, 5000))
def test_a_disk_is_full_exactly_when_the_sum_does_not_fit(needs, free):
    assert bool(disk_problems([Need("/", need) for need in needs], disk(free))) is (sum(needs) > free)


def test_paths_of_the_wrong_kind_or_missing(tmp_path):
    (tmp_path / "f").write_text("")
    (tmp_path / "d").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    cases = {
        ("f", "file"): [],
        ("f", "any"): [],
        ("f", "dir"): ["not a directory"],
        ("f", "tree"): ["not a directory"],
        ("d", "file"): ["not a file"],
        ("d", "tree"): [],
        ("none", "any"): ["missing"],
        ("none/below", "any"): ["missing"],
        ("f/below", "any"): ["not a directory"],
        ("dangling", "any"): ["dangling"],
    }
    for (name, kind), expected in cases.items():
        assert [problem for _, problem in blocked_paths(str(tmp_path / name), kind)] == expected, name


def test_a_tree_with_links_as_hub_caches_have_them(tmp_path):
    for part in ("blobs", "snapshots/rev"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "blobs" / "0a").write_text("weights")
    (tmp_path / "snapshots/rev/model.safetensors").symlink_to("../../blobs/0a")
    (tmp_path / "snapshots/rev/loop").symlink_to("..")
    assert list(blocked_paths(str(tmp_path), "tree")) == []
    (tmp_path / "blobs" / "0a").unlink()
    assert list(blocked_paths(str(tmp_path), "tree")) == [
        [str(tmp_path / "snapshots/rev/model.safetensors"), "dangling"]
    ]


def open_to_all(path):
    """pytest's own directories are closed to others."""
    while path != path.parent and path.stat().st_uid == os.geteuid():
        path.chmod(path.stat().st_mode | 0o055)
        path = path.parent


def test_a_model_whose_weights_are_closed_is_named_with_its_remedy(tmp_path):
    """save_pretrained writes model.safetensors as 0600."""
    open_to_all(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "config.json").chmod(0o644)
    (tmp_path / "model.safetensors").write_text("")
    (tmp_path / "model.safetensors").chmod(0o600)
    (problem,) = access_problems(str(tmp_path), "no-such-user", "tree")
    if ROOT:
        assert "no-such-user (not created yet, taken for nobody) cannot read" in problem
        assert f"`chmod o+r {tmp_path}/model.safetensors`" in problem
    else:
        assert "become: true" in problem


def test_the_directory_that_blocks_is_named(tmp_path):
    open_to_all(tmp_path)
    (tmp_path / "closed" / "model").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    (problem,) = access_problems(str(tmp_path / "closed" / "model"), "nobody", "dir")
    assert (f"cannot enter {tmp_path}/closed (drwx------" in problem) if ROOT else ("become: true" in problem)


def test_many_problems_are_cut_short(tmp_path):
    open_to_all(tmp_path)
    for number in range(9):
        (tmp_path / str(number)).write_text("")
        (tmp_path / str(number)).chmod(0o600)
    problems = access_problems(str(tmp_path), "nobody", "tree")
    assert len(problems) == (6 if ROOT else 1)
    assert ("and more below it" in problems[-1]) if ROOT else ("become: true" in problems[-1])


def test_my_own_files_are_readable_to_me(tmp_path):
    (tmp_path / "x").write_text("")
    assert access_problems(str(tmp_path), ME, "tree") == []


def test_work_that_hangs_or_breaks_is_an_error_not_a_hung_run():
    me = account(ME)
    with pytest.raises(AsUserError, match=r"no answer within 0.2 s"):
        run_as(me, lambda: __import__("time").sleep(10), 0.2)
    with pytest.raises(AsUserError, match="broke"):
        run_as(me, lambda: 1 / 0, 5)
    assert run_as(me, lambda: os.getuid(), 5) == os.getuid()


@pytest.fixture
def call(capsys):
    def call(**arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            host_preflight.main()
        return json.loads(capsys.readouterr().out)

    return call


@pytest.mark.parametrize("check_mode", [False, True])
def test_every_problem_is_reported_at_once(call, tmp_path, check_mode):
    result = call(
        arch=["vax"],
        os=[{"distribution": "plan9"}],
        systemd_min_version=9999,
        memory_mb=10**9,
        disk=[{"path": str(tmp_path), "need_mb": 10**9}],
        commands=["no-such-program", "sh"],
        reference_time=0,
        readable=[{"path": str(tmp_path / "none"), "user": ME}],
        _ansible_check_mode=check_mode,
    )
    assert len(result["problems"]) == 8
    assert result["msg"] == "This host is not ready:\n" + "\n".join(f"- {problem}" for problem in result["problems"])
    assert result["host"]["python"].startswith("3.")


def test_space_is_not_asked_for_twice(call, tmp_path):
    wanted = {"path": str(tmp_path), "need_mb": 10**9, "unless_exists": str(tmp_path / "installed")}
    huge = f"{10**9} are needed for {tmp_path}"
    assert any(huge in problem for problem in call(disk=[wanted])["problems"])
    (tmp_path / "installed").mkdir()
    assert not any(huge in problem for problem in call(disk=[wanted]).get("problems", []))


def test_the_options_and_their_documentation_say_the_same():
    import yaml

    documented = yaml.safe_load(host_preflight.DOCUMENTATION)["options"]
    assert set(documented) == set(host_preflight.ARGUMENT_SPEC)
    for name, option in host_preflight.ARGUMENT_SPEC.items():
        said = documented[name]
        assert [said.get(key) for key in ("type", "elements", "default")] == [
            option.get(key) for key in ("type", "elements", "default")
        ]
        assert set(said.get("suboptions", ())) == set(option.get("options", ()))
