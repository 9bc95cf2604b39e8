"""The script that builds an environment, and what its log means."""

import subprocess

import pytest
from ansible_collections.gpufleet.serving.plugins.action import uv_venv as action
from ansible_collections.gpufleet.serving.plugins.module_utils.venv import job, script
from ansible_collections.gpufleet.serving.plugins.module_utils.venv.errors import BadRequestError
from ansible_collections.gpufleet.serving.plugins.modules.uv_venv import check


def recipe(**changes):
    plain = {"name": "1.0", "work": "/opt/x/.build/1.0", "uv": "/opt/uv/uv", "python": "/usr/bin/python3", "mark": ".m"}
    return script.Recipe(**{**plain, **changes})


@pytest.mark.parametrize("smoke", [[], ["vllm", "--version"], ["python", "-c", "print('a b'); $HOME"]])
def test_the_script_is_one_that_sh_can_read(smoke):
    for packages in ([], ["vllm", "torch"]):
        assert f"for package in {' '.join(packages)}; do" in script.render(recipe(smoke=smoke, packages=packages))
    text = script.render(recipe(smoke=smoke, packages=["vllm"], find_links=["http://mirror/a b/"], no_index=True))
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert "--no-index --find-links 'http://mirror/a b/'" in text


def test_wheels_code_never_runs_as_root():
    text = script.render(recipe(smoke=["vllm", "--version"]))
    (trial,) = [line for line in text.replace("\\\n", "").splitlines() if "venv/bin/vllm" in line]
    assert trial.startswith("setpriv --reuid=65534 ")
    assert "env -i" in trial
    assert "-I -S -m compileall" in text


def test_credentials_of_an_index_stand_in_no_script():
    with_secret = recipe(index_urls=["https://user:s3cret@index/simple", "https://other/simple"])
    assert "s3cret" not in script.render(with_secret)
    environment = script.environment(with_secret, {"https_proxy": 'http://p/"$`\\'})
    assert 'UV_DEFAULT_INDEX="https://user:s3cret@index/simple"' in environment
    assert 'UV_INDEX="https://other/simple"' in environment
    assert 'https_proxy="http://p/\\"\\$\\`\\\\"' in environment


def test_a_mirror_is_asked_alone():
    assert "INDEX" not in script.environment(recipe(index_urls=["https://index"], no_index=True), {})


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("error: Failed to download `a`\n  cause: Hash mismatch for `a`\n  Expected:", ["Hash mismatch", "locked"]),
        ("error: failed to write\n  cause: No space left on device (os error 28)", ["Make room"]),
        ("error: Failed to fetch: `http://m/`\n  cause: Connect", ["Is the source of wheels up"]),
        ("ImportError: libnuma.so.1: cannot open shared object file", ["libnuma.so.1", "system library"]),
        ("", ["exit-code", "empty log"]),
    ],
)
def test_a_failed_build_says_why_and_what_to_do(tmp_path, log, said):
    work = tmp_path / "1.0"
    work.mkdir()
    (work / "log").write_text(log)
    (work / "phase").write_text("installing\n")
    message = str(job.failure("u.service", str(work), "exit-code"))
    assert message.startswith("1.0 could not be built; while installing: ")
    for part in (*said, "What ran before still runs", f"{work}/log"):
        assert part in message


def test_progress_counts_packages(tmp_path):
    (tmp_path / "phase").write_text("installing\n")
    (tmp_path / "requirements.txt").write_text("# a set\na==1 \\\n    --hash=sha256:0\nb==2 \\\n    --hash=sha256:1\n")
    assert job.progress(str(tmp_path)) == "installing, 0 of 2 packages are here"
    (tmp_path / "cache/archive-v0/x").mkdir(parents=True)
    assert job.progress(str(tmp_path)) == "installing, 1 of 2 packages are here"
    (tmp_path / "phase").write_text("compiling\n")
    assert job.progress(str(tmp_path)) == "compiling its modules"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../etc"}, "plain name"),
        ({"environments": [{"name": "a/b"}]}, "plain name"),
        ({"environments": [{"name": "instances"}]}, "must not be called"),
        ({"links": {"a": "gone"}}, "not among the environments"),
        ({"uv": None}, "uv and python are needed"),
    ],
)
def test_bad_requests_are_refused(changes, said):
    good = {"name": "x", "state": "present", "environments": [], "links": {}, "uv": "/uv", "python": "/python"}
    check(good)
    with pytest.raises(BadRequestError, match=said):
        check({**good, **changes})


def test_a_set_is_sent_only_where_it_is_needed(tmp_path):
    sets = [{"name": name, "requirements": str(tmp_path / name)} for name in ("a", "b")]
    (tmp_path / "b").write_text("the set")
    arguments = action.with_texts({"environments": sets}, ["b"])
    assert arguments["environments"] == [sets[0], {**sets[1], "text": "the set"}]
    assert action.without_texts(arguments) == {"environments": sets}
