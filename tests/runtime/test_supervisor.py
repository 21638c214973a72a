from __future__ import annotations

import socket
from threading import Thread

import pytest

from edgeinfer.errors import InputError
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.supervisor import Spec, Supervisor
from edgeinfer.runtime.systemd import Systemd
from edgeinfer.testing.clock import FakeClock
from tests.waiting import wait_for


class Post:
    def __init__(self, name: str, log: list) -> None:
        self.name, self.log, self.ended, self.stepping, self.watched = name, log, False, True, 0

    def start(self) -> None:
        self.log.append(f"start {self.name}")

    def stop(self, timeout_s: float) -> bool:
        self.log.append(f"stop {self.name}")
        return True

    def watch(self, now_ns: int) -> None:
        self.watched += 1

    def steps(self, now_ns: int) -> bool:
        return self.stepping


class House:
    def __init__(self, systemd: Systemd = Systemd()) -> None:
        self.health = Health(FakeClock())
        self.supervisor = Supervisor(self.health, systemd)
        self.log: list[str] = []
        self.posts: dict[str, Post] = {}
        self.code: int | None = None
        self.thread: Thread | None = None

    def plan(self, **posts: tuple[int, str]) -> dict[str, Spec]:
        def maker(name: str):
            def make() -> Post:
                self.posts[name] = Post(name, self.log)
                return self.posts[name]

            return make

        return {name: Spec(maker(name), digest, rank) for name, (rank, digest) in posts.items()}

    def run(self) -> None:
        def body() -> None:
            self.code = self.supervisor.run()

        self.thread = Thread(target=body)
        self.thread.start()

    def join(self) -> int | None:
        self.thread.join(10)
        return self.code


@pytest.fixture
def house():
    return House()


LINE = {"sink": (0, "a"), "pipeline": (1, "a"), "feed": (2, "a")}


def test_outputs_start_first_and_inputs_stop_first(house):
    house.supervisor.apply(house.plan(**LINE))
    assert house.log == ["start sink", "start pipeline", "start feed"]
    house.log.clear()
    house.supervisor.apply({})
    assert house.log == ["stop feed", "stop pipeline", "stop sink"]


def test_only_what_changed_is_restarted(house):
    house.supervisor.apply(house.plan(**LINE))
    house.log.clear()
    house.supervisor.apply(house.plan(**{**LINE, "pipeline": (1, "b")}))
    assert house.log == ["stop pipeline", "start pipeline"]


def test_a_stop_is_clean_and_exits_with_0(house):
    house.supervisor.apply(house.plan(**LINE))
    house.run()
    house.supervisor.request_stop()
    assert house.join() == 0
    assert house.log[-3:] == ["stop feed", "stop pipeline", "stop sink"]


def test_a_post_that_died_stops_the_rest_in_order_and_exits_with_1(house, caplog):
    house.supervisor.apply(house.plan(**LINE))
    house.run()
    house.supervisor.fatal("pipeline", ValueError("a bug"))
    assert house.join() == 1
    assert "please report" in caplog.text


def test_what_the_user_wrote_exits_with_2(house):
    house.supervisor.apply(house.plan(**LINE))
    house.run()
    house.supervisor.fatal("feed", InputError("no video"))
    assert house.join() == 2


def test_it_ends_by_itself_when_every_input_has_ended(house):
    house.supervisor.apply(house.plan(**LINE))
    house.run()
    house.posts["feed"].ended = house.posts["pipeline"].ended = True
    assert house.join() == 0


def test_a_question_is_answered_in_the_supervisors_thread(house):
    house.supervisor.apply(house.plan(**LINE))
    house.run()
    assert house.supervisor.ask(lambda: 42) == 42
    with pytest.raises(InputError, match="no"):
        house.supervisor.ask(lambda: (_ for _ in ()).throw(InputError("no")))
    house.supervisor.request_stop()
    house.join()


@pytest.fixture
def notified(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "n"))
        sock.settimeout(5)
        yield sock, str(tmp_path / "n")


def test_systemd_hears_ready_watchdog_status_and_stopping(notified):
    sock, path = notified
    house = House(Systemd(notify_socket=path, watchdog_s=0.3))
    house.supervisor.apply(house.plan(**LINE))
    house.run()
    words = [sock.recv(4096).decode() for _ in range(4)]
    house.health.mark("feed", "degraded", "cable pulled")
    while "cable pulled" not in words[-1]:
        words.append(sock.recv(4096).decode())
    house.supervisor.request_stop()
    while "STOPPING=1" not in words[-1]:
        words.append(sock.recv(4096).decode())
    assert house.join() == 0
    assert words[0].startswith("READY=1")
    assert any(word == "WATCHDOG=1" for word in words)


def test_a_pipeline_that_makes_no_steps_silences_the_watchdog(notified, caplog):
    sock, path = notified
    house = House(Systemd(notify_socket=path, watchdog_s=0.3))
    house.supervisor.apply(house.plan(**LINE))
    house.posts["pipeline"].stepping = False
    house.run()
    wait_for(lambda: "makes no steps" in caplog.text)
    house.supervisor.request_stop()
    house.join()
    sock.setblocking(False)
    words = []
    try:
        while True:
            words.append(sock.recv(4096).decode())
    except BlockingIOError:
        pass
    assert "WATCHDOG=1" not in words
