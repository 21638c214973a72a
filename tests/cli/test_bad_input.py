"""Whatever the user gets wrong: one clear message with the place and the right exit code, never a traceback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from edgeinfer.cli.main import main
from tests.cli.configs import good

ROOT = Path(__file__).parents[2]


@pytest.fixture
def check(tmp_path, capsys):
    """`edgeinfer check` on a config (text or bytes); gives exit code and what was said on stderr."""

    def run(content) -> tuple[int, str]:
        path = tmp_path / "config.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        code = main(["check", str(path)])
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return code, said

    return run


def test_the_good_config_is_right(check, tmp_path):
    assert check(good(tmp_path)) == (0, "")


TABLE = {
    "unknown key": ("score = 0.6", "scoer = 0.6", [":LINE rule.scratched.scoer", "did you mean 'score'"]),
    "wrong type": ("score = 0.6", 'score = "high"', [":LINE rule.scratched.score", "number", "'high'"]),
    "unknown kind": ('kind = "presence"', 'kind = "presense"', [":LINE rule.scratched.kind", "presense", "'presence'"]),
    "missing key": ('label = "scratched"\n', "", ["rule.scratched", "label", "missing"]),
    "unknown source": ('source = "belt"', 'source = "bett"', [":LINE pipeline.inspection.source", "did you mean 'belt'"]),
    "unknown rule": ('rules = ["scratched"]', 'rules = ["scratch"]', ["pipeline.inspection.rules", "did you mean 'scratched'"]),
    "unknown model": ('model = "parts"', 'model = "prats"', ["pipeline.inspection.model", "did you mean 'parts'"]),
    "no rules": ('rules = ["scratched"]', "rules = []", ["pipeline.inspection.rules", "at least one"]),
    "missing bundle": ('bundle = "parts"', 'bundle = "part"', [":LINE model.parts.bundle", "did you mean 'parts'"]),
    "unknown table": ("[state]", "[stat]", ["stat", "did you mean 'state'"]),
    "bad size": ("[state]", '[state]\noutbox_max = "64 apples"', ["state.outbox_max", "64 apples"]),
    "bad device": ('device = "press-07"', 'device = "press/07"', [":LINE device", "/"]),
    "no sink": ('[sink.out]\nkind = "console"\n', "", ["no [sink.NAME]"]),
    "syntax": ("fps = 10", "fps = = 10", [":LINE", "TOML"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_wrong_config_is_told_with_line_key_and_nearest_name(name, check, tmp_path):
    right, wrong, said = TABLE[name]
    text = good(tmp_path)
    assert right in text
    line = text[: text.index(right)].count("\n") + 1 + wrong.count("\n")  # where the wrong word stands
    code, err = check(text.replace(right, wrong, 1))
    assert code == 2
    for word in said:
        assert word.replace("LINE", str(line)) in err, err


def test_all_problems_are_told_at_once(check, tmp_path):
    text = good(tmp_path)
    for name in ("unknown key", "unknown source", "missing bundle", "bad device"):
        right, wrong, _ = TABLE[name]
        text = text.replace(right, wrong, 1)
    code, err = check(text)
    assert code == 2
    assert "4 problems" in err, err


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"# nothing\n", "empty"),
        (b"\x00\xff\xfe\x01" * 50, "UTF-8"),
        (b"\x7fELF\x00\x00", "binary"),
    ],
)
def test_what_is_no_config_is_told(content, word, check):
    code, err = check(content)
    assert (code, word in err) == (2, True), err


def test_a_missing_config_is_told(tmp_path, capsys):
    assert main(["run", str(tmp_path / "none.toml")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_folder_is_no_config(tmp_path, capsys):
    assert main(["run", str(tmp_path)]) == 2
    assert "folder" in capsys.readouterr().err


def test_a_command_that_is_none_is_told_with_the_nearest(capsys):
    assert main(["chekc"]) == 2
    assert "did you mean 'check'" in capsys.readouterr().err


# --- bundles ---------------------------------------------------------------------------------------------


@pytest.fixture
def bundle(tmp_path) -> Path:
    copy = tmp_path / "spoiled"
    shutil.copytree(ROOT / "models/parts", copy)
    return copy


def spoil(bundle: Path, tmp_path: Path) -> str:
    return good(tmp_path).replace('bundle = "parts"', f'bundle = "{bundle}"')


def rehash(bundle: Path, name: str) -> None:
    """Makes the manifest agree with a changed file, so that only its content is wrong."""
    from hashlib import sha256

    manifest = (bundle / "manifest.toml").read_text().splitlines()
    digest = sha256((bundle / name).read_bytes()).hexdigest()
    lines = [f'"{name}" = "{digest}"' if line.startswith(f'"{name}"') else line for line in manifest]
    (bundle / "manifest.toml").write_text("\n".join(lines))


def test_a_file_that_changed_is_refused_before_a_runtime_opens_it(bundle, check, tmp_path):
    model = bundle / "parts_int8.tflite"
    model.write_bytes(model.read_bytes()[:-1] + b"\x55")
    code, err = check(spoil(bundle, tmp_path))
    assert code == 2
    assert "parts_int8.tflite" in err
    assert "sha256" in err


@pytest.mark.parametrize("content", ["truncated", "random", "empty"])
def test_a_file_that_is_no_model_is_refused_and_the_process_lives(content, bundle, tmp_path, capsys):
    model = bundle / "parts_int8.tflite"
    whole = model.read_bytes()
    model.write_bytes(
        {"truncated": whole[: len(whole) // 3], "random": os.urandom(5000), "empty": b""}[content]
    )
    rehash(bundle, "parts_int8.tflite")
    config = tmp_path / "config.toml"
    config.write_text(spoil(bundle, tmp_path))
    assert main(["model", "verify", str(bundle)]) == 2
    err = capsys.readouterr().err
    assert "parts_int8.tflite" in err
    assert "Traceback" not in err


def test_too_few_labels_are_told_with_both_numbers(bundle, tmp_path, capsys):
    (bundle / "labels.txt").write_text("good\nscratched\n")
    rehash(bundle, "labels.txt")
    assert main(["model", "verify", str(bundle)]) == 2
    err = capsys.readouterr().err
    assert "labels" in err
    assert "2" in err
    assert "3" in err


# --- the world -------------------------------------------------------------------------------------------


def test_an_unusable_state_folder_is_what_the_world_did(check, tmp_path):
    (tmp_path / "file").write_text("")
    code, err = check(good(tmp_path).replace(str(tmp_path / "state"), str(tmp_path / "file/state")))
    assert code == 1
    assert "state folder" in err


def test_a_demo_port_in_use_is_told(capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["demo", "--for", "1", "--mqtt-port", str(taken.getsockname()[1])]) == 2
    assert "--mqtt-port" in capsys.readouterr().err
