import os
import sys

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.errors import CheckFailedError
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.freshness import program_is_newer
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.plan import make_plan
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.scrub import scrub
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.stage import (
    missing_programs,
    point_into_stage,
    run_checks,
)
from config_set import check, file, request
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def run(tmp_path):
    """Run the checks of a set; returns what passed."""
    stages = tmp_path / "stages"
    stages.mkdir()

    def run(**options):
        wanted = request(**options)
        try:
            return run_checks(wanted, make_plan(wanted, check_mode=True), wanted.checks, str(stages))
        finally:
            assert list(stages.iterdir()) == [], "the stage is taken away"

    return run


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


def python(code, *arguments):
    return check(sys.executable, "-c", code, *arguments)


def test_a_program_sees_the_new_set_beside_what_stays_and_without_what_goes(run, etc):
    (etc / "stays").write_text("stays")
    (etc / "goes.yml").write_text("goes")
    (etc / "sub").mkdir()
    (etc / "sub" / "other").write_text("other")
    seen = etc.parent / "seen"
    code = (
        "import os, sys; base = sys.argv[1]; open(sys.argv[2], 'w').write("
        "repr([sorted(os.listdir(base)), open(base + '/stays').read(), sorted(os.listdir(base + '/sub'))]))"
    )
    run(
        files=[file(etc / "a.yml"), file(etc / "sub" / "b.yml")],
        prune=[(etc, "*.yml")],
        validate=[python(code, f"{{{etc}}}", seen)],
    )
    assert seen.read_text() == repr([["a.yml", "stays", "sub"], "stays", ["b.yml", "other"]])


def test_full_paths_inside_a_file_lead_to_the_staged_copies(run, etc):
    rules = etc / "rules" / "new.yml"
    code = "import sys; assert open(open(sys.argv[1]).read()).read() == 'new'"
    passed = run(
        files=[file(etc / "main", str(rules)), file(rules, "new")], validate=[python(code, f"{{{etc / 'main'}}}")]
    )
    assert passed == [f"{sys.executable} -c {code} {etc / 'main'}"]


def test_a_refusal_shows_the_programs_words_under_the_final_paths_and_no_secret(run, etc):
    code = "import sys; print(sys.argv[1], open(sys.argv[1]).read()); sys.exit(3)"
    with pytest.raises(CheckFailedError) as caught:
        run(
            files=[file(etc / "web.yml", "password: hunter2hunter2\n", secret=True)],
            validate=[python(code, f"{{{etc / 'web.yml'}}}")],
        )
    assert f"exits with 3 and says:\n{etc / 'web.yml'} (secret)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_silent_refusal_says_so(run, etc):
    with pytest.raises(CheckFailedError, match="exits with 1 and says nothing"):
        run(files=[file(etc / "a")], validate=[check("false")])


def test_a_program_that_hangs_is_given_up(run, etc):
    with pytest.raises(CheckFailedError, match=r"no verdict within 0.2 s"):
        run(files=[file(etc / "a")], validate=[check("sleep", "60", timeout=0.2)])


def test_a_program_that_cannot_be_run_is_named(run, etc):
    (etc.parent / "program").write_text("no program")
    with pytest.raises(CheckFailedError, match=f"{etc.parent}/program cannot be run"):
        run(files=[file(etc / "a")], validate=[check(etc.parent / "program")])


def test_the_stage_keeps_names_and_modes_and_is_closed_to_others(run, etc):
    seen = etc.parent / "seen"
    code = (
        "import os, sys; root = sys.argv[1].split('/gpufleet-stage-')[0] + '/gpufleet-stage-' + "
        "sys.argv[1].split('/gpufleet-stage-')[1].split('/')[0];"
        "open(sys.argv[3], 'w').write(' '.join(oct(os.stat(p).st_mode & 0o7777) for p in (root, *sys.argv[1:3])))"
    )
    run(
        files=[file(etc / "x.service", mode="0755"), file(etc / "key", "k", mode="0644", secret=True)],
        validate=[python(code, f"{{{etc / 'x.service'}}}", f"{{{etc / 'key'}}}", seen)],
    )
    assert seen.read_text() == "0o700 0o755 0o600"


def test_nothing_is_written_where_the_files_will_be(run, etc):
    run(files=[file(etc / "a")], validate=[check("true", f"{{{etc / 'a'}}}")])
    assert list(etc.iterdir()) == []


def test_missing_programs_and_needs_are_listed_once():
    checks = request(
        files=[file("/etc/x")],
        validate=[check("no-such-program"), check("no-such-program", needs=["/no/such", "/etc"]), check("true")],
    ).checks
    assert missing_programs(checks) == ["no-such-program", "/no/such"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("rule_files: [/etc/p/rules/*.yml]", "rule_files: [/S/etc/p/rules/*.yml]"),
        ("--config.file=/etc/p/p.yml", "--config.file=/S/etc/p/p.yml"),
        ('"/etc/p"', '"/S/etc/p"'),
        ("/etc/pp/x /etc/p-2 /etc/p.d", "/etc/pp/x /etc/p-2 /etc/p.d"),
        ("/opt/etc/p/x http://host/etc/p", "/opt/etc/p/x http://host/etc/p"),
        ("/etc/p/rules /etc/p", "/S/etc/p/rules /S/etc/p"),
    ],
)
def test_only_whole_paths_are_led_into_the_stage(content, expected):
    assert point_into_stage(content.encode(), ["/etc/p", "/etc/p/rules"], "/S").decode() == expected


@given(st.binary())
def test_content_without_such_paths_is_left_alone(content):
    assert point_into_stage(content, ["/no/such/directory"], "/S") == content


@given(st.from_regex(r"[a-z]{1,8}: [A-Za-z0-9+/]{6,30}", fullmatch=True))
def test_whatever_word_or_line_of_a_secret_is_said_it_is_struck_out(line):
    value = line.split(": ")[1]
    assert value not in scrub(f"error at {value!r} in {line}", [line.encode()])


def test_short_words_of_a_secret_stay_readable():
    assert scrub("port 9090: not a bool", [b"port: 9090\n"]) == "port 9090: not a bool"


def test_a_program_named_by_its_path_counts_as_newer_once_a_link_to_it_is_switched(tmp_path):
    (tmp_path / "1").mkdir()
    program = tmp_path / "1" / "program"
    program.write_text("")
    (tmp_path / "current").symlink_to("1")
    config = tmp_path / "config"
    config.write_text("")
    asked = request(files=[file(config)], validate=[check(tmp_path / "current" / "program")]).checks[0]
    later = config.stat().st_mtime_ns + 60 * 10**9
    os.utime(config, ns=(later, later))
    assert not program_is_newer(asked, [str(config)])
    os.utime(config, ns=(0, 0))
    assert program_is_newer(asked, [str(config)])
    assert program_is_newer(asked, [str(tmp_path / "not yet")])


def test_a_program_of_the_system_does_not_count():
    asked = request(files=[file("/etc/x")], validate=[check("true")]).checks[0]
    assert not program_is_newer(asked, ["/etc/x"])


def test_staged_files_are_closed_to_others_from_the_first_moment(monkeypatch, run, etc):
    modes, real = [], os.open

    def spy(path, flags, mode=0o777, **options):
        if flags & os.O_CREAT:
            modes.append(mode)
        return real(path, flags, mode, **options)

    monkeypatch.setattr(os, "open", spy)
    run(files=[file(etc / "key", "k", mode="0644", secret=True)], validate=[check("true")])
    assert modes and all(not mode & 0o077 for mode in modes)
