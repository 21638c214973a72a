"""Config files: what is read, how conf.d is merged, and what every bad file is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.config import load, loads
from edgeinfer.errors import ConfigError

WHOLE = """\
device = "press-07"

[source.belt]
kind = "camera"
from = "rtsp://10.0.0.7/stream"

[rule.scratched]
kind = "presence"
label = "scratched"
score = 0.6

[pipeline.inspection]
source = "belt"
rules = ["scratched"]

[sink.plant]
kind = "mqtt"

[state]
outbox_max = "64 MB"
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "config.toml")
    return [str(problem) for problem in caught.value.problems]


def refused(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_a_whole_config_gives_its_parts_by_section_and_name():
    config = loads(WHOLE, "config.toml")
    belt = config.of("source")["belt"]
    assert config.device == "press-07"
    assert (belt.section, belt.name, belt.kind) == ("source", "belt", "camera")
    assert belt.options == {"from": "rtsp://10.0.0.7/stream"}
    assert config.of("pipeline")["inspection"].options["rules"] == ["scratched"]
    assert config.state.options == {"outbox_max": "64 MB"}
    assert config.of("model") == {}


def test_a_part_knows_the_file_line_and_path_of_its_keys():
    scratched = loads(WHOLE, "config.toml").of("rule")["scratched"]
    assert scratched.where.at() == "config.toml:7 rule.scratched"
    assert scratched.where.at("score") == "config.toml:10 rule.scratched.score"
    assert scratched.where.at("for_s") == "config.toml:7 rule.scratched.for_s"


def test_without_a_state_table_the_state_part_is_empty():
    assert loads('device = "a"', "x").state.options == {}


def test_the_device_defaults_to_a_legal_form_of_the_host_name():
    device = loads('[sink.a]\nkind = "console"', "x").device
    assert device
    assert not set("./+#") & set(device)


def test_the_digest_does_not_depend_on_order_comments_or_layout():
    one = loads('device = "a"\n[state]\nsync_s = 1.0\nsize = "b"', "x").digest
    two = loads('state = {size="b", sync_s=1.0} # same\n\ndevice="a"', "y").digest
    other = loads('device = "a"\n[state]\nsync_s = 1.0\nsize = "c"', "x").digest
    assert one == two
    assert one != other
    assert one.startswith("sha256:")
    assert len(one) == len("sha256:") + 12


def test_conf_d_is_read_in_sorted_order_and_merged_into_the_same_tables(tmp_path):
    (tmp_path / "config.toml").write_text(WHOLE)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/20.toml").write_text('[rule.late]\nkind = "count"\n')
    (tmp_path / "conf.d/10.toml").write_text("# more\n[rule.scratched]\nfor_s = 0.3\n")
    (tmp_path / "conf.d/ignored.txt").write_text("no toml")
    config = load(tmp_path / "config.toml")
    scratched = config.of("rule")["scratched"]
    assert list(config.of("rule")) == ["scratched", "late"]
    assert scratched.options["for_s"] == 0.3
    assert scratched.where.at("for_s") == f"{tmp_path}/conf.d/10.toml:3 rule.scratched.for_s"
    assert scratched.where.at("score") == f"{tmp_path}/config.toml:10 rule.scratched.score"


def test_conf_d_is_left_alone_when_told_so(tmp_path):
    (tmp_path / "config.toml").write_text(WHOLE)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/10.toml").write_text("= broken")
    assert load(tmp_path / "config.toml", with_conf_d=False).device == "press-07"


def test_a_key_set_twice_names_both_places(tmp_path):
    (tmp_path / "config.toml").write_text(WHOLE)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/10.toml").write_text('device = "b"\n[rule.scratched]\nscore = 0.5\n')
    (tmp_path / "conf.d/20.toml").write_text('[rule]\nscratched = "x"\n')
    main, ten, twenty = (tmp_path / f for f in ("config.toml", "conf.d/10.toml", "conf.d/20.toml"))
    assert refused(main)[:3] == [
        f"{ten}:1 device: set twice; it stands in {main}:1 already",
        f"{ten}:3 rule.scratched.score: set twice; it stands in {main}:10 already",
        f"{twenty}:2 rule.scratched: set twice; it stands in {main}:7 already",
    ]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbfdevice = "a"\r\n[state]\r\nx = 1\r\n')
    config = load(tmp_path / "config.toml")
    assert config.device == "a"
    assert config.state.where.at("x").endswith("config.toml:3 state.x")


def test_a_missing_file_is_told(tmp_path):
    file = tmp_path / "none.toml"
    assert refused(file) == [f"{file}: there is no such file; expected a config in TOML"]


def test_a_folder_is_told_with_the_file_in_it(tmp_path):
    (tmp_path / "config.toml").write_text(WHOLE)
    assert refused(tmp_path) == [
        f"{tmp_path}: this is a folder; expected a config file, such as {tmp_path}/config.toml"
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n"])
def test_an_empty_file_is_told(tmp_path, content):
    (tmp_path / "config.toml").write_bytes(content)
    assert "the config is empty" in refused(tmp_path / "config.toml")[0]


def test_an_empty_file_is_fine_when_conf_d_holds_the_config(tmp_path):
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/10.toml").write_text(WHOLE)
    assert load(tmp_path / "config.toml").device == "press-07"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'device = "a"\n\xff\xfe\x00', "config.toml:2: no text in UTF-8 (it looks like a binary file"),
        (b"TFL3\0\0\0", "config.toml:1: holds a zero byte"),
        ('device = "a"'.encode("utf-16"), "it looks like UTF-16: save it as UTF-8"),
    ],
)
def test_a_binary_file_is_told(tmp_path, content, told):
    (tmp_path / "config.toml").write_bytes(content)
    (problem,) = refused(tmp_path / "config.toml")
    assert told in problem


def test_a_huge_file_is_not_read_whole():
    (problem,) = refused(Path("/dev/zero"))
    assert "larger than" in problem


@pytest.mark.parametrize(
    ("text", "where", "told"),
    [
        ('device = "a"\n[source.belt\n', "config.toml:2:", "column 13"),
        ("[rule.a]\nkind = presence\n", "config.toml:2:", "text stands in quotes"),
        ("a = 1\na = 2\n", "config.toml:2:", "written twice"),
        ("[rule.a]\n[rule.a]\n", "config.toml:2:", "written twice"),
        ('x = """\nnever closed', "config.toml:2:", "Unterminated string"),
        ("x = " + "[" * 100_000, "config.toml", "no valid TOML"),
    ],
)
def test_a_syntax_error_is_told_with_its_line(text, where, told):
    (problem,) = problems_of(text)
    assert problem.startswith(where)
    assert told in problem


def test_syntax_errors_of_all_files_are_told_at_once(tmp_path):
    (tmp_path / "config.toml").write_text("=")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/10.toml").write_text("=")
    assert len(refused(tmp_path / "config.toml")) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[sources.a]", "config.toml:1 sources: unknown table; did you mean 'source'?"),
        ('devise = "a"', "config.toml:1 devise: unknown key; did you mean 'device'?"),
        ("xyz = 1", "config.toml:1 xyz: unknown key (there are: device, source, model,"),
        ('device = "a.b"', "config.toml:1 device: a device's name becomes part of topics: no dot"),
        ('device = ""', "config.toml:1 device: a device's name may not be empty"),
        ("device = 7", "config.toml:1 device: expected text, found the whole number 7"),
        (
            'source = "belt"',
            "config.toml:1 source: each source is a table with a name, such as [source.belt]; fou",
        ),
        (
            "[[source]]",
            "config.toml:1 source: each source is a table with a name, such as [source.belt]; found a",
        ),
        (
            '[source]\nkind = "camera"',
            "config.toml:2 source.kind: [source] has no keys of its own (kind): a sour",
        ),
        ("state = 3", "config.toml:1 state: expected the table [state], found the whole number 3"),
        (
            "[source.a]\nfps = 1",
            "config.toml:1 source.a.kind: the key 'kind' is missing: it says what sort of so",
        ),
        ("[rule.a]\nkind = 1", "config.toml:2 rule.a.kind: expected text, found the whole number 1"),
        ("[model.'a/b']", "config.toml:1 model.a/b: the name 'a/b' becomes part of topics: only a-z"),
        ("[model.Upper]", "config.toml:1 model.Upper: the name 'Upper' becomes part of topics: only a-z"),
    ],
)
def test_a_wrong_frame_is_told(text, told):
    (problem,) = problems_of(text)
    assert problem.startswith(told)


def test_all_problems_of_the_frame_come_at_once():
    assert len(problems_of('devise = 1\ndevice = ""\n[rule.a]\n[sink.B]\n')) == 5


def test_problems_of_the_frame_can_be_collected_so_that_the_parts_are_still_seen():
    told = []
    config = loads("devise = 1\n[rule.a]\nscore = 1\n[model.m]\nbundle = 'x'", "config.toml", problems=told)
    assert [problem.where for problem in told] == ["config.toml:1 devise", "config.toml:2 rule.a.kind"]
    assert config.of("rule")["a"].kind == ""
    assert config.of("model")["m"].options == {"bundle": "x"}


def told_of(text, **options):
    """The problems of a text, none when it is a config; any other error is a failure."""
    try:
        loads(text, "config.toml", **options)
    except ConfigError as error:
        return error.problems
    return ()


@given(st.text(alphabet=st.sampled_from(list("[]{}=.,'\"\\#\n ab1_-")) | st.characters(), max_size=60))
def test_any_text_is_a_config_or_a_list_of_problems(text):
    assert all(problem.message for problem in told_of(text))


SLIPS = st.sampled_from(["", "\n", '"', "[", "]]", "=", "{", "\0", "#", "'" * 3])


@given(st.integers(0, len(WHOLE)), st.integers(0, 5), SLIPS)
def test_any_slip_of_the_hand_is_told_with_its_place(at, cut, typed):
    problems = told_of(WHOLE[:at] + typed + WHOLE[at + cut :])
    assert all(problem.where.startswith("config.toml:") for problem in problems)


@pytest.mark.parametrize("depth", [50, 200, 300, 400, 480, 1000])
def test_lists_that_lie_deep_in_one_another_are_read_or_told(depth):
    problems = told_of(f'device = "a"\nx = {"[" * depth}{"]" * depth}', problems=[])
    assert all("no valid TOML" in problem.message for problem in problems)
