from edgeinfer.recording import Picture
from edgeinfer.runtime.preroll import Preroll
from tests.samples import at, tick


def picture(n, size=10, source="cam"):
    return Picture((source, n), at(n), bytes(size), "jpg")


def numbers(ring):
    return [kept.key[1] for kept in ring]


def test_the_last_seconds_stay():
    ring = Preroll(3.0)
    for n in range(10):
        ring.add(picture(n))
        ring.add(tick(n))
    assert numbers(ring) == [6, 6, 7, 7, 8, 8, 9, 9]


def test_it_holds_no_more_bytes_than_it_may():
    ring = Preroll(1000.0, max_bytes=35)
    for n in range(10):
        ring.add(picture(n))
    assert numbers(ring) == [7, 8, 9]


def test_another_boot_begins_anew():
    ring = Preroll(1000.0)
    ring.add(picture(1))
    ring.add(Picture(("cam", 0), at(2, boot="other"), b"", "jpg"))
    assert numbers(ring) == [0]


def test_the_picture_of_a_decision_is_found_or_the_last_one_before_it():
    ring = Preroll(1000.0)
    for n in (2, 4, 6):
        ring.add(picture(n))
        ring.add(picture(n, source="other"))
    assert ring.picture(("cam", 4)).key == ("cam", 4)
    assert ring.picture(("cam", 5)).key == ("cam", 4)
    assert ring.picture(("cam", 1)) is None
