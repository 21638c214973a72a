"""The service in a systemd that really booted: ready, hung, stopped, looping, read-only, upgraded, rebooted."""

import json
import shutil
import time

import pytest

from tests.packaging.config import CONFIG, PATH, TOPIC
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def decisions(machine, n: int = 1) -> list[dict]:
    """The next decisions, as mosquitto_sub in the machine prints them."""
    got = machine.run("mosquitto_sub", "-h", "127.0.0.1", "-W", "30", "-t", TOPIC, "-C", str(n))
    assert got.returncode == 0, machine.journal()
    return [json.loads(line) for line in got.stdout.splitlines()]


def processes(machine) -> int:
    """How many belong to our user; a minimal Debian has no ps."""
    owners = machine.run("sh", "-c", "stat -c %U /proc/[0-9]*", check=True).stdout.split()
    assert "root" in owners
    return owners.count("edgeinfer")


def running(machine, *options: str) -> None:
    machine.boot(*options)
    machine.write(PATH, CONFIG)
    machine.run("systemctl", "start", "edgeinfer", check=True)


def test_a_package_that_was_just_installed_decides_as_soon_as_it_has_a_config(bare_machine, deb):
    machine = bare_machine
    shutil.copy(deb, machine.tree / "root" / "edgeinfer.deb")
    machine.boot()

    began = time.monotonic()
    machine.run("dpkg", "-i", "/root/edgeinfer.deb", check=True)
    assert machine.show("ActiveState") == "inactive"  # no config, no failure
    machine.write(PATH, CONFIG)
    machine.run("systemctl", "start", "edgeinfer", check=True)
    first = decisions(machine)[0]
    print(f"dpkg -i to first decision: {time.monotonic() - began:.1f} s")

    assert first["rule"] == "parts-in-view"
    assert machine.show("StatusText") == "deciding"
    assert machine.run("systemctl", "is-enabled", "edgeinfer").stdout.strip() == "enabled"


def test_a_hung_daemon_is_killed_by_the_watchdog_and_decides_again(machine):
    machine.boot()
    machine.write(PATH, CONFIG)
    machine.write("/etc/systemd/system/edgeinfer.service.d/test.conf", "[Service]\nWatchdogSec=3\n")
    machine.run("systemctl", "daemon-reload", check=True)
    machine.run("systemctl", "start", "edgeinfer", check=True)
    decisions(machine)

    hung = time.monotonic()
    machine.run("systemctl", "kill", "-s", "STOP", "--kill-whom=main", "edgeinfer", check=True)
    wait_for(lambda: machine.show("NRestarts") == "1", 60, "a restart")
    decisions(machine)
    print(f"hang to next decision: {time.monotonic() - hung:.1f} s with WatchdogSec=3")

    assert machine.show("NRestarts") == "1"
    assert "Watchdog timeout" in machine.journal()


def test_an_ordered_stop_delivers_what_waits_and_leaves_no_process(machine):
    machine.boot()
    machine.write(PATH, CONFIG)
    began = time.monotonic()
    machine.run("systemctl", "start", "edgeinfer", check=True)
    print(f"start to READY: {time.monotonic() - began:.1f} s")
    decisions(machine)

    began = time.monotonic()
    machine.run("systemctl", "stop", "edgeinfer", check=True)
    print(f"stop: {time.monotonic() - began:.1f} s")

    assert machine.show("Result") == "success"
    assert processes(machine) == 0
    state = machine.run(
        "mosquitto_sub",
        "-h",
        "127.0.0.1",
        "-W",
        "5",
        "-C",
        "1",
        "-t",
        "edgeinfer/press-07/state/parts-in-view",
    )
    assert json.loads(state.stdout)["state"] == "unknown"


def test_a_wrong_config_stays_down_and_says_what_is_wrong(machine):
    machine.boot()
    machine.write(PATH, CONFIG.replace('model = "parts"', 'model = "part"'))

    machine.run("systemctl", "start", "edgeinfer")

    assert machine.show("ActiveState") == "failed"
    assert machine.show("NRestarts") == "0"
    assert "parts" in machine.journal()


def test_a_daemon_that_dies_again_and_again_rests_and_is_started_again_later(machine):
    machine.boot()
    machine.write(PATH, CONFIG)
    machine.write(
        "/etc/systemd/system/edgeinfer.service.d/test.conf",
        "[Unit]\nStartLimitBurst=3\n[Service]\nExecStart=\nExecStart=/bin/sh -c 'exit 1'\n",
    )
    machine.write("/etc/systemd/system/edgeinfer-again.timer.d/test.conf",
                  "[Timer]\nOnActiveSec=\nOnActiveSec=1s\nRandomizedDelaySec=0\n")  # fmt: skip
    machine.run("systemctl", "daemon-reload", check=True)
    machine.run("systemctl", "start", "--no-block", "edgeinfer")
    wait_for(lambda: "repeated too quickly" in machine.journal(), 30, "systemd says that it gives up")

    machine.run("rm", "/etc/systemd/system/edgeinfer.service.d/test.conf", check=True)
    machine.run("systemctl", "daemon-reload", check=True)

    assert decisions(machine)  # the timer came back to it


def test_a_read_only_root_is_enough(machine):
    machine.write(PATH, CONFIG)
    machine.boot("--volatile=overlay")

    assert decisions(machine)


def test_an_upgrade_while_it_runs_goes_on_with_the_same_outbox(machine):
    running(machine)
    before, pid = decisions(machine)[-1], machine.show("MainPID")
    assert processes(machine) > 0

    done = machine.run("dpkg", "-i", "/root/edgeinfer.deb")
    assert done.returncode == 0, done.stdout + done.stderr

    after = decisions(machine)[0]
    assert machine.show("MainPID") not in {pid, "0"}
    assert after["seq"] > before["seq"]


def test_a_full_outbox_outlives_a_reboot(machine):
    running(machine)
    decisions(machine)
    machine.run("systemctl", "disable", "--now", "mosquitto", check=True)
    wait_for(lambda: waiting(machine) >= 20, 60, "decisions that wait")
    machine.power_off()

    machine.boot()
    assert waiting(machine) >= 20
    watch = machine.start(
        "mosquitto_sub", "-h", "127.0.0.1", "-W", "60", "-t", TOPIC, "-C", "20", "-c", "-i", "t", "-q", "1"
    )
    machine.run("systemctl", "start", "mosquitto", check=True)
    with watch:
        lines = watch.stdout.read().splitlines()

    seqs = [json.loads(line)["seq"] for line in lines]
    assert seqs == sorted(seqs)


def waiting(machine) -> int:
    told = machine.run("edgeinfer", "health", "--json")
    return json.loads(told.stdout)["outbox"]["broker"] if told.stdout else 0


def test_removal_leaves_nothing_and_purge_takes_all(machine):
    running(machine)
    decisions(machine)

    machine.run("dpkg", "-r", "edgeinfer", check=True)
    assert processes(machine) == 0
    assert not (machine.tree / "opt/edgeinfer").exists()
    assert (machine.tree / "var/lib/edgeinfer").exists()
    assert (machine.tree / PATH.lstrip("/")).exists()

    machine.run("dpkg", "-P", "edgeinfer", check=True)
    left = machine.run(
        "sh",
        "-c",
        "find / -xdev -iname '*edgeinfer*' -not -path '/proc/*' -not -path '/sys/*' -not -path '/root/*'",
    )
    assert [
        line for line in left.stdout.splitlines() if "/sys/fs" not in line and "journal" not in line
    ] == []
    assert machine.run("getent", "passwd", "edgeinfer").stdout == ""


def test_the_sandbox_is_tight(machine):
    machine.boot()
    machine.write(PATH, CONFIG)
    told = machine.run("systemd-analyze", "security", "--threshold=25", "edgeinfer.service")
    assert told.returncode == 0, told.stdout[-300:]
