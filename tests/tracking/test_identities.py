"""Findings and their tracks."""

from edgeinfer.events import Detection, Keypoints, Region, Score, Value
from edgeinfer.geometry import Box
from edgeinfer.tracking.identities import Identities
from edgeinfer.tracking.tracker import TrackOptions
from tests.rules.seen import Scene


def tracks(identities, *seen):
    return [[f.track for f in identities.name(one).findings] for one in seen]


def test_whatever_has_a_place_gets_its_number_and_the_rest_stays_as_it_is():
    s, identities = Scene(), Identities(TrackOptions(hits=1))
    corner = ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2))
    seen = s.look(
        0,
        Score("good", 0.9),
        Detection("part", 0.9, Box(0.4, 0.4, 0.6, 0.6)),
        Value("bar", 3.0),
        Region("spill", 0.8, corner),
        Keypoints("person", 0.8, ((0.8, 0.8, 0.9), (0.9, 0.9, 0.9))),
        Keypoints("person", 0.8, ()),
    )
    named = identities.name(seen)
    assert [f.track for f in named.findings] == [None, 1, None, 2, 3, None]
    assert (named.key, named.at, named.findings[0]) == (seen.key, seen.at, seen.findings[0])


def test_another_label_is_the_same_thing():
    s = Scene()
    assert tracks(
        Identities(TrackOptions()), s.look(0, "good"), s.look(0.1, "scratched"), s.look(0.2, "good")
    ) == [
        [None],
        [1],
        [1],
    ]


def test_each_source_has_tracks_of_its_own():
    a, b, identities = Scene("a"), Scene("b"), Identities(TrackOptions(hits=1))
    assert tracks(identities, a.look(0, "x"), b.look(0, "x"), b.look(0.1, "x"), a.look(0.1, "x")) == [[1]] * 4


def test_a_lost_source_ends_its_tracks():
    s, identities = Scene(), Identities(TrackOptions(hits=1))
    identities.forget("belt")
    assert tracks(identities, s.look(0, "x")) == [[1]]
    identities.forget("belt")
    assert tracks(identities, s.look(0.1, "x")) == [[2]]


def test_another_boot_ends_them_too():
    identities = Identities(TrackOptions(hits=1))
    assert tracks(identities, Scene().look(1, "x"), Scene(boot="b2").look(2, "x")) == [[1], [2]]
