"""A recording or a video in place of a config's sources; runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeinfer.app.blueprint import Blueprint, draw
from edgeinfer.config import Config, Part, load
from edgeinfer.errors import InputError, Problem, nearest

_KEPT = ("size", "rotate", "roi", "fps")  # how a camera's picture is cut stays as the config says


class Replaced:
    """A config that is fed from `recorded`: a recording's folder, or a video.

    Args:
        recorded: must exist.
        config_path: the config.
        source: which source a video stands for; may be None where there is only one with pictures.

    Raises:
        InputError, ConfigError: there is no such file, or it is not clear which source is meant.
    """

    def __init__(self, recorded: Path, config_path: Path, source: str | None) -> None:
        self._problems: list[Problem] = []
        config = load(config_path, problems=self._problems)
        if not recorded.exists():
            raise InputError(f"no such recording or video: {recorded}")
        sources = (
            _from_recording(config, recorded) if recorded.is_dir() else _from_video(config, recorded, source)
        )
        where = config.where.inside("sink", "stdout")
        stdout = Part("sink", "stdout", "console", {"format": "json"}, where)
        parts = {**config.parts, "source": {**config.of("source"), **sources}, "sink": {"stdout": stdout}}
        self.config = replace(config, parts=parts)

    def blueprint(self) -> Blueprint:
        """Decisions go to stdout. Raises ConfigError with all that is wrong."""
        return draw(self.config, self._problems)

    def silent(self, config: Config | None = None) -> Blueprint:
        """Of `config`, if given, in place of its own; decisions go nowhere."""
        return replace(draw(config or self.config, self._problems), sinks={})


def _from_video(config: Config, video: Path, wanted: str | None) -> Mapping[str, Part]:
    known = config.of("source")
    if wanted is not None and wanted not in known:
        raise InputError(f"--source: no [source.{wanted}] in the config{nearest(wanted, known)}")
    pictures = {name: part for name, part in known.items() if part.kind in {"camera", "pipe", "synthetic"}}
    if wanted is None and len(pictures) != 1:
        raise InputError(
            f"which source does {video} stand for? say --source with one of: {', '.join(pictures) or 'none'}"
        )
    name = wanted or next(iter(pictures))
    part = known[name]
    kept = {key: part.options[key] for key in _KEPT if key in part.options}
    return {name: replace(part, kind="camera", options={"from": str(video), "pace": "lockstep", **kept})}


def _from_recording(config: Config, recording: Path) -> Mapping[str, Part]:
    def replayed(name: str, part: Part) -> Part:
        options: dict[str, Any] = {"from": str(recording), "source": name, "pace": "lockstep"}
        return replace(part, kind="replay", options=options)

    return {name: replayed(name, part) for name, part in config.of("source").items()}
