import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.errors import RequestError
from config_set import check, directory, file, request
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"files": [file("etc/x")]}, "write an absolute path"),
        ({"files": [file("/etc/../x")]}, "write an absolute path"),
        ({"files": [file("/etc//x")]}, "write an absolute path"),
        ({"files": [file("/etc/x", mode="644")]}, "quoted octal number such as '0640'"),
        ({"files": [file("/etc/x", mode="u=rw")]}, "quoted octal number"),
        ({"files": [file("/etc/x", mode="420")]}, "quoted octal number"),
        ({"files": [file("/etc/x", content={"a": 1})]}, "content of /etc/x is dict, not text"),
        ({"files": [file("/etc/x"), file("/etc/x")]}, "more than once in files, directories and remove: /etc/x"),
        ({"files": [file("/etc/x")], "remove": ["/etc/x"]}, "more than once"),
        ({"files": [file("/a/b/x")], "remove": [{"path": "/a/b", "recursive": True}]}, "holds /a/b/x, which the same"),
        ({"remove": [{"path": "/etc", "recursive": True}]}, "never removed by this module"),
        ({"remove": [{"path": "/a/b", "recursion": True}]}, "write a path, or {path: PATH, recursive: true}"),
        ({"remove": [{"path": "/a/b", "recursive": "yes"}]}, "write true or false"),
        ({"remove": [7]}, "write a path"),
        ({"prune": [("/etc/x.d", "sub/*.yml")]}, "without '/'"),
        ({"files": [file("/etc/x")], "validate": [check()]}, "argv is empty"),
        ({"files": [file("/etc/x")], "validate": [check("cat", "{/etc/y}")]}, "{/etc/y} in cat {/etc/y}: no such path"),
    ],
)
def test_a_wrong_task_is_told_what_to_write(options, said):
    with pytest.raises(RequestError) as caught:
        request(**options)
    assert said in str(caught.value)


def test_directories_are_made_parents_first_in_whatever_order_they_are_listed():
    made = request(directories=[directory("/a/b/c"), directory("/a"), directory("/a/b/")]).directories
    assert [item.path for item in made] == ["/a", "/a/b", "/a/b/c"]


def test_absent_turns_all_that_is_listed_into_removals():
    wanted = request(files=[file("/a/x")], directories=[directory("/a/d", recursive=True)], state="absent")
    assert (wanted.files, wanted.directories) == ((), ())
    assert [(item.path, item.recursive) for item in wanted.removals] == [("/a/x", False), ("/a/d", True)]


def test_a_placeholder_may_name_a_parent_of_a_file():
    wanted = request(files=[file("/etc/app/x")], validate=[check("app", "--dir={/etc/app}")])
    assert wanted.checks[0].staged_argv("/stage") == ["app", "--dir=/stage/etc/app"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_content_is_kept_exactly(content):
    assert request(files=[file("/etc/x", content=content)]).files[0].content.decode() == content


@given(st.text(alphabet="/.a\0", max_size=8))
def test_whatever_passes_for_a_path_is_absolute_and_normal(path):
    try:
        parsed = request(files=[file(path)]).files[0].path
    except RequestError:
        return
    assert parsed.startswith("/") and not {"", ".", ".."} & set(parsed[1:].split("/"))
