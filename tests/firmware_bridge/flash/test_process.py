from __future__ import annotations

import os
import pkgutil
import signal
import subprocess
import sys

import pytest

import firmware_bridge.flash
from firmware_bridge.flash import process
from firmware_bridge.flash.errors import FlashError
from tests.waiting import wait_for

PYTHON = [sys.executable, "-u", "-c"]
FOREVER = "import time; print('ready'); time.sleep(1000)"


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_a_tool_says_and_how_it_ends_comes_back():
    seen: list[str] = []
    done = process.run([*PYTHON, "import sys; print('one'); sys.exit('two')"], 20.0, seen.append)
    assert (done.code, done.last_line) == (1, "two")
    assert "one" in "".join(seen)


def test_a_tool_that_does_not_end_is_stopped_and_its_last_words_are_told():
    with pytest.raises(FlashError, match=r"did not end within 1 s and was stopped: ready"):
        process.run([*PYTHON, FOREVER], 0.6)


def test_a_tool_that_falls_silent_is_stopped():
    with pytest.raises(FlashError, match="said nothing for 1 s"):
        process.run([*PYTHON, FOREVER], 100.0, silence_s=0.6)


def test_a_tool_whose_port_goes_away_is_stopped(tmp_path):
    port = tmp_path / "port"
    port.touch()
    with pytest.raises(FlashError, match="port went away: is the cable in"):
        process.run([*PYTHON, FOREVER], 100.0, lambda text: text and port.unlink(), port=str(port))


def test_a_listener_that_raises_ends_the_tool_and_hears_from_a_silent_one_too():
    pids: list[int] = []

    def enough(text):
        if text.strip().isdigit():
            pids.append(int(text))
        elif pids and not text:
            raise FlashError("enough")

    with pytest.raises(FlashError, match="enough"):
        process.run([*PYTHON, "import os, time; print(os.getpid()); time.sleep(1000)"], 100.0, enough)
    assert gone(pids[0])


def test_ctrl_c_at_the_terminal_does_not_reach_the_tool():
    done = process.run([*PYTHON, "import os; print(os.getpgrp())"], 20.0)
    assert int(done.said) != os.getpgrp()


def test_a_tool_dies_with_the_flasher_that_was_killed():
    tool = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    flasher = (
        "import sys; from firmware_bridge.flash import process; "
        f"process.run([sys.executable, '-c', {tool!r}], 100.0, lambda text: print(text, flush=True))"
    )
    with subprocess.Popen([*PYTHON, flasher], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        pid = int(running.stdout.readline())
        running.send_signal(signal.SIGKILL)
    wait_for(lambda: gone(pid), 10.0, "the tool goes on without its flasher")


def test_a_tool_that_is_not_installed_is_told_with_what_to_type():
    with pytest.raises(FlashError, match="apt install nothing-of-this-name"):
        process.find("nothing-of-this-name", "apt install nothing-of-this-name")


def test_tools_under_the_gpl_are_never_imported():
    modules = [m.name for m in pkgutil.iter_modules(firmware_bridge.flash.__path__)]
    imports = "; ".join(f"import firmware_bridge.flash.{name}" for name in modules if name != "leash")
    check = f"import sys; {imports}; print([n for n in sys.modules if n.split('.')[0] in ('esptool', 'stm32loader')])"
    done = subprocess.run([*PYTHON, check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
