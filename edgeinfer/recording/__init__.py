"""The container of a recording: what travelled, in a folder, readable by people; who records or replays is not known.

    recording.json        {"format": "edgeinfer recording", "version": 1, "device": "press-07", "created": "…Z"}
    events.jsonl          one event a line, in the order in which it was seen; only ever appended to
    frames/belt-17.png    the pictures of frames, lossless (or .jpg when asked for)

Each line is the event's fields with its `type` (frame, readings, trigger, tick, lost, back, inference, decision);
findings have a `type` as well. A frame has `picture` (a path) for its pixels; the `values` of readings are rows.
Numbers that JSON does not have are the texts "nan", "inf" and "-inf". A file that was cut off is readable up to its
last whole line.
"""

from edgeinfer.recording.folder import VERSION, Head, head_of
from edgeinfer.recording.reading import kinds, read
from edgeinfer.recording.writing import Writer

__all__ = ["VERSION", "Head", "Writer", "head_of", "kinds", "read"]
