"""Fixtures for all tests; the real parts (brokers, camera servers, boards, disks) stand in tests/fixtures."""

pytest_plugins = [
    "tests.fixtures.brokers",
    "tests.fixtures.cables",
    "tests.fixtures.cameras",
    "tests.fixtures.commander",
    "tests.fixtures.delegates",
    "tests.fixtures.disks",
    "tests.fixtures.emulators",
    "tests.fixtures.machines",
    "tests.fixtures.mcuboot_images",
    "tests.fixtures.modem_shim",
    "tests.fixtures.nats",
    "tests.fixtures.plcs",
    "tests.fixtures.sparkplug",
    "tests.fixtures.web",
]
