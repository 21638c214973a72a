"""Cards and images: what is refused before a byte is written, and what a provisioned image does when it boots."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.machines import ROOT, Machine, debian_tar
from tests.packaging.config import CONFIG
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TEMPLATE = CONFIG.replace('"press-07"', '"${name}"').replace("127.0.0.1:1883", "${broker}")


def provision(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [ROOT / "scripts" / "provision", *map(str, words)], check=False, capture_output=True, text=True
    )


@pytest.fixture
def installer(tmp_path) -> Path:
    """A file that says that it ran; the real one is in test_bundle.py."""
    file = tmp_path / "install.run"
    file.write_text("#!/bin/sh\necho ran >/root/ran\n")
    return file


@pytest.fixture
def template(tmp_path) -> Path:
    file = tmp_path / "template.toml"
    file.write_text(TEMPLATE)
    return file


@pytest.fixture
def tree(tmp_path) -> Path:
    """The least that is taken for a Linux root."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=debian\n")
    (root / "etc/machine-id").write_text("ab" * 16 + "\n")
    return root


def image_of(tree: Path, image: Path, size: str = "8M") -> Path:
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(image), size], check=True)
    return image


@pytest.fixture
def image(tree, tmp_path) -> Path:
    return image_of(tree, tmp_path / "base.img")


def files_in(image: Path, path: str) -> str:
    """Read without a mount, by another program than the one that wrote it."""
    return subprocess.run(
        ["debugfs", "-R", f"cat {path}", str(image)], check=True, capture_output=True, text=True
    ).stdout


def test_an_image_gets_name_config_certificate_and_a_first_boot(installer, template, image, tmp_path):
    ca = tmp_path / "plant.pem"
    ca.write_text("-----BEGIN CERTIFICATE-----\n")
    template.write_text(TEMPLATE + 'ca = "${ca}"\n')

    done = provision("--install", installer, "--config", template, "--name", "press-09",
                     "--set", "broker=10.0.0.5:1883", "--set", f"ca={ca}", image)  # fmt: skip

    assert done.returncode == 0, done.stderr
    config = files_in(image, "/etc/edgeinfer/config.toml")
    assert 'device = "press-09"' in config
    assert 'url = "mqtt://10.0.0.5:1883"' in config
    assert 'ca = "/etc/edgeinfer/tls/ca.pem"' in config
    assert files_in(image, "/etc/hostname") == "press-09\n"
    assert files_in(image, "/etc/machine-id") == ""
    assert files_in(image, "/etc/edgeinfer/tls/ca.pem").startswith("-----BEGIN")
    assert "install.run" in files_in(image, "/etc/systemd/system/edgeinfer-first-boot.service")


def test_a_partitioned_card_is_written_where_its_root_is(installer, template, tree, tmp_path):
    disk = tmp_path / "card.img"
    root = image_of(tree, tmp_path / "part.img", "16M")
    subprocess.run(["truncate", "-s", "40M", str(disk)], check=True)
    subprocess.run(
        ["sfdisk", "-q", str(disk)],
        input="start=2048,size=16384,type=c\nstart=20480,size=32768,type=83\n",
        text=True,
        check=True,
    )
    subprocess.run(
        ["dd", f"if={root}", f"of={disk}", "bs=512", "seek=20480", "conv=notrunc", "status=none"], check=True
    )

    done = provision("--install", installer, "--config", template, "--name", "a", "--set", "broker=b", disk)

    assert done.returncode == 0, done.stderr
    subprocess.run(
        ["dd", f"if={disk}", f"of={root}", "bs=512", "skip=20480", "count=32768", "status=none"], check=True
    )
    assert files_in(root, "/etc/hostname") == "a\n"
    assert (
        str(disk) not in subprocess.run(["losetup", "-a"], check=True, capture_output=True, text=True).stdout
    )


def test_forty_devices_from_one_csv(installer, template, image, tmp_path):
    rows = [f"press-{n:02},10.0.{n}.5:1883" for n in range(40)]
    fleet = tmp_path / "devices.csv"
    fleet.write_text("\n".join(["name,broker", *rows]) + "\n")

    done = provision(
        "--install",
        installer,
        "--config",
        template,
        "--fleet",
        fleet,
        "--base",
        image,
        "--out",
        tmp_path / "cards",
    )

    assert done.returncode == 0, done.stderr
    cards = sorted((tmp_path / "cards").glob("*.img"))
    assert len(cards) == 40
    assert "10.0.17.5:1883" in files_in(cards[17], "/etc/edgeinfer/config.toml")
    assert files_in(cards[39], "/etc/hostname") == "press-39\n"


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        ("name,broker\na,b\na,c\n", ["'a'", "2 times"]),
        ("name,broker\nPress_7,b\n", ["'Press_7'", "lower case"]),
        ("name,broker\na\n", ["line 2", "2 columns"]),
        ("name\na\n", ["${broker}", "no column"]),
        ("device,broker\na,b\n", ["'name'", "device"]),
        ("name,broker\n", ["no device"]),
        ('name,broker\na,x"\n', ["for a", "line"]),
        ("name,broker,ca\na,b,nowhere.pem\n", ["nowhere.pem", "no such file"]),
    ],
)
def test_a_wrong_csv_writes_nothing_and_says_why(csv, words, installer, template, image, tmp_path):
    fleet = tmp_path / "devices.csv"
    fleet.write_text(csv)

    done = provision(
        "--install",
        installer,
        "--config",
        template,
        "--fleet",
        fleet,
        "--base",
        image,
        "--out",
        tmp_path / "cards",
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert not list((tmp_path / "cards").glob("*.img"))


def test_the_disk_of_this_system_is_refused(installer, template):
    device = subprocess.run(
        ["findmnt", "-no", "SOURCE", "/"], check=True, capture_output=True, text=True
    ).stdout.strip()
    target = device if Path(device).is_block_device() else "/"

    done = provision("--install", installer, "--config", template, "--name", "a", "--set", "broker=b", target)

    assert done.returncode == 2
    assert "refused, this system runs from it" in done.stderr


def test_the_tree_of_this_system_is_refused(installer, template):
    done = provision("--install", installer, "--config", template, "--name", "a", "--set", "broker=b", "/")
    assert done.returncode == 2
    assert "refused" in done.stderr


def test_a_mounted_disk_is_refused(installer, template, image, tmp_path):
    loop = subprocess.run(
        ["losetup", "--show", "-f", str(image)], check=True, capture_output=True, text=True
    ).stdout.strip()
    point = tmp_path / "point"
    point.mkdir()
    subprocess.run(["mount", loop, str(point)], check=True)
    try:
        done = provision(
            "--install", installer, "--config", template, "--name", "a", "--set", "broker=b", loop
        )
    finally:
        subprocess.run(["umount", str(point)], check=True)
        subprocess.run(["losetup", "-d", loop], check=True)
    assert done.returncode == 2
    assert "mounted at" in done.stderr
    assert files_in(image, "/etc/machine-id") == "ab" * 16 + "\n"


def test_a_disk_without_a_linux_root_is_refused(installer, template, tmp_path):
    empty = tmp_path / "empty.img"
    empty.write_bytes(bytes(1 << 20))
    done = provision("--install", installer, "--config", template, "--name", "a", "--set", "broker=b", empty)
    assert done.returncode == 2
    assert "expected a Linux root" in done.stderr


def test_a_link_in_the_card_does_not_lead_into_our_own_etc(installer, template, tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree / "etc/edgeinfer").symlink_to(outside)
    done = provision("--install", installer, "--config", template, "--name", "a", "--set", "broker=b", tree)
    assert done.returncode == 2
    assert "leads out of" in done.stderr
    assert not list(outside.iterdir())


def test_a_provisioned_machine_installs_itself_at_its_first_boot_and_decides(deb, tmp_path):
    run = tmp_path / "edgeinfer.run"
    key = tmp_path / "plant.pub.pem"
    model = _signed_model(tmp_path, key)
    built = subprocess.run(
        [ROOT / "scripts/bundle", "amd64", run, "--deb", deb, "--model", model, "--trust", key],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    template = tmp_path / "template.toml"
    template.write_text(TEMPLATE)
    tree = tmp_path / "machine"
    tree.mkdir()
    subprocess.run(["tar", "xf", str(debian_tar()), "-C", str(tree)], check=True)

    done = provision(
        "--install", run, "--config", template, "--name", "press-40", "--set", "broker=127.0.0.1:1883", tree
    )
    assert done.returncode == 0, done.stderr

    machine = Machine(tree)
    try:
        machine.boot()
        wait_for(
            lambda: machine.show("ActiveState") == "active", 60, "the service, installed by the first boot"
        )
        got = machine.run(
            "mosquitto_sub", "-h", "127.0.0.1", "-W", "30", "-C", "1", "-t", "edgeinfer/press-40/decision/#"
        )
        assert json.loads(got.stdout)["model"].startswith("parts@")
        assert machine.run("edgeinfer", "model", "list").stdout.count("parts") > 0
        assert (tree / "var/lib/edgeinfer/models/parts").exists()
        assert (tree / "etc/edgeinfer/trust" / key.name).exists()
        assert machine.run("hostname").stdout.strip() == "press-40"
        assert not (tree / "var/lib/edgeinfer-first-boot").exists()
    finally:
        machine.kill()


def _signed_model(tmp_path: Path, public: Path) -> Path:
    """Our parts model, as an ML engineer packs and signs it."""
    edgeinfer = ROOT / ".venv/bin/edgeinfer"
    store = tmp_path / "store"
    for words in (
        ["key", "new", tmp_path / "plant.pem"],
        ["model", "add", ROOT / "models/parts", "--state", store],
        [
            "model",
            "pack",
            "parts",
            "--state",
            store,
            "--key",
            tmp_path / "plant.pem",
            "-o",
            tmp_path / "parts.bundle",
        ],
    ):
        done = subprocess.run([edgeinfer, *map(str, words)], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert public.exists()
    return tmp_path / "parts.bundle"
