"""A recording through a config: on one core, on several, and from memory, the same decisions."""

from dataclasses import replace

import pytest

from edgeinfer.cli.replay_input import Replaced
from edgeinfer.evaluate.ahead import Ahead
from edgeinfer.evaluate.memory import Memory, same_inputs
from edgeinfer.evaluate.replaying import Way, replayed
from edgeinfer.events import Inference
from tests.evaluate.replays import CONFIG, belt, belt_frames


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return belt(tmp_path_factory.mktemp("belt") / "rec")


@pytest.fixture(scope="module")
def draw(recording, tmp_path_factory):
    def drawn(score=0.5, change=("", "")):
        path = tmp_path_factory.mktemp("config") / "c.toml"
        path.write_text(
            CONFIG.format(score=score).replace(*change) if change[0] else CONFIG.format(score=score)
        )
        return Replaced(recording, path, None).silent()

    return drawn


def plain(entries):
    """All of a decision; its age is of the machine."""
    return [replace(entry, age_ms=0.0) for entry in entries]


@pytest.fixture(scope="module")
def one_core(draw):
    done = replayed(draw(), Way())
    assert done.code == 0
    assert {e.decision.rule for e in done.entries} == {"parts", "passed"}
    return plain(done.entries)


@pytest.mark.parametrize("jobs", [1, 3])
def test_on_several_cores_the_decisions_are_the_same(draw, one_core, jobs):
    blueprint, ahead, inferred = draw(), Ahead(jobs), []
    ahead.know(blueprint)
    taps = (ahead.see, lambda _post, seen: inferred.append(seen.key) if isinstance(seen, Inference) else None)
    done = replayed(blueprint, Way(ahead.open, ahead.ahead, taps))
    ahead.close()
    assert plain(done.entries) == one_core
    assert inferred == [("belt", n) for n in range(60)]


def test_pictures_that_are_thinned_out_are_not_inferred_ahead_and_change_nothing(draw):
    thinned = draw(change=("track = {}", "track = {}\nmax_fps = 5"))
    wanted = plain(replayed(thinned, Way()).entries)
    ahead = Ahead(2)
    ahead.know(thinned)
    assert plain(replayed(thinned, Way(ahead.open, ahead.ahead, (ahead.see,))).entries) == wanted
    ahead.close()


def test_from_memory_the_decisions_are_the_same_without_a_picture_or_a_model(draw, one_core):
    memory = Memory()
    first = replayed(draw(), Way(memory.opening(Way().open_model), taps=(memory.tap,)))
    again = replayed(memory.again(draw()), Way(memory.recall))
    assert plain(first.entries) == plain(again.entries) == one_core


def test_from_memory_other_rules_decide_what_they_decide_on_the_recording(draw):
    memory = Memory()
    replayed(draw(), Way(memory.opening(Way().open_model), taps=(memory.tap,)))
    other = replayed(memory.again(draw(score=0.99)), Way(memory.recall))
    assert plain(other.entries) == plain(replayed(draw(score=0.99), Way()).entries)


def test_what_can_be_taken_from_memory_is_known_by_models_sources_and_pace(draw):
    assert same_inputs(draw(), draw(score=0.9))
    assert not same_inputs(draw(), draw(change=('bundle = "parts"', 'bundle = "parts"\nthreads = 2')))
    assert not same_inputs(draw(), draw(change=("track = {}", "max_fps = 5\ntrack = {}")))


def test_a_model_that_is_asked_twice_about_one_picture_answers_the_same_way_again(draw):
    """As where a part of the picture is asked for: it has the key of the whole."""
    memory, frame = Memory(), next(iter(belt_frames()))
    part = replace(frame, pixels=frame.pixels[:180, :240].copy())
    bundle = draw().models["parts"].bundle
    options = draw().models["parts"].options
    first = memory.opening(Way().open_model)("p", bundle, options, None)
    wanted = [first.predict(frame), first.predict(part)]
    first.close()
    again = memory.recall("p", bundle, options, None)
    assert [again.predict(frame), again.predict(part)] == wanted
    assert wanted[0].findings != wanted[1].findings


def test_a_replay_keeps_no_pictures_whatever_the_config_says(recording, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(CONFIG.format(score=0.5).replace("track = {}", "track = {}\nkeep = {}"))
    posts = []
    way = Way(started=lambda daemon: posts.append(daemon.health))
    replayed(Replaced(recording, path, None).silent(), way)
    assert "events" not in posts[0].snapshot()["posts"]
