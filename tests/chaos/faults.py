"""What can go wrong, one function a fault: it breaks something of the rig, lets it be for a while, and mends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from tests.chaos import power
from tests.chaos.rig import Rig

Fault = Callable[[Rig, Random], None]

_HOUR_S = 3600.0
_BEYOND_2038 = 2_147_483_648 + 60.0  # the first second that 32 bits do not hold, and a minute


def kill(rig: Rig, dice: Random) -> None:
    rig.die("kill")
    _let_be(dice, 0.0, 2.0)
    rig.live()


def kill_twice(rig: Rig, dice: Random) -> None:
    """The second one while it is starting, perhaps."""
    rig.die("kill")
    rig.live()
    _let_be(dice, 0.05, 1.5)
    rig.die("kill at the start")
    rig.live()


def broker_kill(rig: Rig, dice: Random) -> None:
    rig.ledger.broker_kills_s.append(time.monotonic())
    rig.broker.kill()
    _let_be(dice, 0.0, 4.0)
    rig.broker.start()


def broker_stop(rig: Rig, dice: Random) -> None:
    rig.broker.stop()
    _let_be(dice, 0.0, 4.0)
    rig.broker.start()


def broker_freeze(rig: Rig, dice: Random) -> None:
    rig.broker.freeze()
    _let_be(dice, 0.5, 6.0)
    rig.broker.thaw()


def cut(rig: Rig, dice: Random) -> None:
    network = rig.networks[dice.choice(list(rig.networks))]
    network.cut()
    _let_be(dice, 0.2, 6.0)
    network.heal()


def half_open(rig: Rig, dice: Random) -> None:
    network = rig.networks[dice.choice(list(rig.networks))]
    network.freeze()
    _let_be(dice, 0.5, 8.0)
    network.heal()


def slow(rig: Rig, dice: Random) -> None:
    network = rig.networks[dice.choice(list(rig.networks))]
    network.slow(dice.uniform(2_000, 50_000))
    _let_be(dice, 1.0, 6.0)
    network.heal()


def torn(rig: Rig, dice: Random) -> None:
    """A connection that breaks in the middle of a packet, several times."""
    for _ in range(dice.randint(1, 3)):
        for network in rig.networks.values():
            network.tear()
        _let_be(dice, 0.1, 1.0)


def garbled(rig: Rig, dice: Random) -> None:
    for network in rig.networks.values():
        network.garble()
    _let_be(dice, 0.1, 1.0)


def second_dead(rig: Rig, dice: Random) -> None:
    """Longer than the other faults, which go on meanwhile."""
    rig.networks["second"].cut()
    rig.later(dice.uniform(8.0, 25.0), rig.networks["second"].heal)


def disk_full(rig: Rig, dice: Random) -> None:
    rig.fill_disk()
    _let_be(dice, 0.5, 5.0)
    rig.free_disk()


def disk_full_kill(rig: Rig, dice: Random) -> None:
    """Killed while decisions wait in memory, started on the full disk."""
    rig.fill_disk()
    _let_be(dice, 0.2, 3.0)
    rig.die("kill with a full disk")
    rig.live()
    _let_be(dice, 0.5, 4.0)
    rig.free_disk()


def read_only(rig: Rig, dice: Random) -> None:
    """An error of the file system, which only a start mends."""
    rig.trouble_begins()
    rig.disk.break_read_only()
    _let_be(dice, 0.5, 4.0)
    rig.die("kill with a read-only disk", rig.disk.mend)
    rig.live()
    rig.trouble_passes()


def clock_jump(rig: Rig, dice: Random) -> None:
    jump = dice.choice(["hour on", "hour back", "2038"])
    if jump == "2038":
        rig.clock.set(_BEYOND_2038)
    else:
        rig.clock.jump(_HOUR_S if jump == "hour on" else -_HOUR_S)
    _let_be(dice, 0.5, 4.0)
    rig.clock.jump(0)


def power_look(rig: Rig, dice: Random) -> None:
    """What would be left after a power cut now; nothing is broken."""
    del dice
    power.look(rig)


def power_cut(rig: Rig, dice: Random) -> None:
    del dice
    power.cut(rig)


def reload_by_signal(rig: Rig, dice: Random) -> None:
    del dice
    rig.await_daemon()
    rig.reload(by_signal=True)


def reload_by_socket(rig: Rig, dice: Random) -> None:
    del dice
    rig.await_daemon()
    rig.reload(by_signal=False)


def reload_of_nonsense(rig: Rig, dice: Random) -> None:
    """The old config stays."""
    rig.await_daemon()
    rig.daemon.write(rig.config(broken="[rule.odd]\nkind = 'thresold'\n"))
    rig.daemon.hang_up()
    _let_be(dice, 0.2, 1.0)
    rig.daemon.write(rig.config())


def _let_be(dice: Random, least_s: float, most_s: float) -> None:
    """A fault lasts: this is no waiting for something."""
    time.sleep(dice.uniform(least_s, most_s))


WEIGHTS: dict[Fault, int] = {
    kill: 6, kill_twice: 2, broker_kill: 3, broker_stop: 3, broker_freeze: 4, cut: 6, half_open: 5, slow: 4, torn: 5,
    garbled: 3, second_dead: 3, disk_full: 4, disk_full_kill: 2, read_only: 2, clock_jump: 5, power_look: 5,
    power_cut: 4, reload_by_signal: 5, reload_by_socket: 4, reload_of_nonsense: 2,
}  # fmt: skip
"""How often each comes, in comparison."""
