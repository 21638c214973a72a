"""The container of a recording: what travelled, in a folder, readable by people; who records or replays is not known.

    recording.json               {"format": "edgeinfer recording", "version": 2, "device": "press-07", "created": "…Z"}
    000001/events.jsonl          one event a line, in the order in which it was seen; only ever appended to
    000001/frames/belt-17.png    the pictures of this segment's frames, lossless (or .jpg when asked for)
    000002/…                     the next segment

docs/recordings.md has it byte by byte. A file that was cut off is readable up to its last whole line.
"""

from edgeinfer.recording.folder import VERSION, Head, head_of, is_recording, segments
from edgeinfer.recording.pictures import Picture, compressed
from edgeinfer.recording.reading import kinds, read
from edgeinfer.recording.recorder import Recorder
from edgeinfer.recording.writing import Bounds, Writer

__all__ = [
    "VERSION",
    "Bounds",
    "Head",
    "Picture",
    "Recorder",
    "Writer",
    "compressed",
    "head_of",
    "is_recording",
    "kinds",
    "read",
    "segments",
]
