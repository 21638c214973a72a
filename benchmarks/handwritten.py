"""The baseline: the loop that somebody would write by hand. One file, no durability, no supervision, no rules.

    python benchmarks/handwritten.py --video FILE --port PORT [--fps N] [--frames N]

cv2 reads, resizes and converts; LiteRT infers; numpy decodes the SSD boxes; paho publishes at QoS 1 when the
number of people changes. Prints one JSON line of figures at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import cv2
import numpy as np
import paho.mqtt.client as mqtt
from ai_edge_litert.interpreter import Interpreter

from benchmarks.figures import Figures, person_model

SCORE, IOU = 0.5, 0.5


def decode(boxes, logits, box_q, logit_q, anchors):
    """(N, 4) and (N, 2) int8 to boxes (n, 4) as y0, x0, y1, x1, the usual way: dequantize all, then threshold."""
    scores = 1 / (1 + np.exp(-(logits[:, 1].astype(np.float32) - logit_q[1]) * logit_q[0]))
    keep = scores >= SCORE
    raw = (boxes[keep].astype(np.float32) - box_q[1]) * box_q[0]
    scores, anchors = scores[keep], anchors[keep]
    cy, cx = raw[:, 0] / 10 * anchors[:, 2] + anchors[:, 0], raw[:, 1] / 10 * anchors[:, 3] + anchors[:, 1]
    h, w = np.exp(raw[:, 2] / 5) * anchors[:, 2], np.exp(raw[:, 3] / 5) * anchors[:, 3]
    found = np.stack([cy - h / 2, cx - w / 2, cy + h / 2, cx + w / 2], axis=1)
    rects = [[x0 * 300, y0 * 300, (x1 - x0) * 300, (y1 - y0) * 300] for y0, x0, y1, x1 in found.tolist()]
    return found[cv2.dnn.NMSBoxes(rects, scores.tolist(), SCORE, IOU)] if rects else found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--video", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fps", type=float, default=0, help="pace of the frames; 0: as fast as it goes")
    parser.add_argument("--frames", type=int, default=0, help="stop after so many; 0: all")
    parser.add_argument("--hold", type=int, default=0, help="a count must stand for so many frames")
    args = parser.parse_args()

    bundle = person_model()
    interpreter = Interpreter(str(bundle.model), num_threads=1)
    interpreter.allocate_tensors()
    inp = interpreter.get_input_details()[0]
    outs = {o["name"]: o for o in interpreter.get_output_details()}
    boxes, logits = outs[bundle.boxes], outs[bundle.scores]
    anchors = np.load(bundle.anchors)

    figures = Figures()
    sent: dict[int, int] = {}
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

    def acknowledged(_client, _userdata, mid, _reason, _properties):
        if (captured := sent.pop(mid, None)) is not None:
            figures.latency_ns.append(time.monotonic_ns() - captured)

    client.on_publish = acknowledged
    client.connect("127.0.0.1", args.port)
    client.loop_start()

    capture = cv2.VideoCapture(args.video, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    count, last, held, due = None, None, 0, time.monotonic()
    while not args.frames or figures.frames < args.frames:
        ok, frame = capture.read()
        if not ok:
            break
        if args.fps:
            due += 1 / args.fps
            time.sleep(max(0.0, due - time.monotonic()))
        captured = time.monotonic_ns()
        small = cv2.cvtColor(cv2.resize(frame, (300, 300)), cv2.COLOR_BGR2RGB)
        # int8 input of scale 1/127.5: the pixel minus 128
        interpreter.set_tensor(inp["index"], (small[None].astype(np.int16) - 128).astype(np.int8))
        interpreter.invoke()
        found = decode(
            interpreter.get_tensor(boxes["index"]).reshape(-1, 4),
            interpreter.get_tensor(logits["index"])[0],
            boxes["quantization"],
            logits["quantization"],
            anchors,
        )
        figures.frame()
        held = held + 1 if len(found) == last else 0
        last = len(found)
        if last != count and held >= args.hold:
            count = last
            payload = json.dumps({"time": time.time(), "people": count, "boxes": found.tolist()})
            info = client.publish("bench/people", payload, qos=1)
            sent[info.mid] = captured
            figures.decisions += 1
    end = time.monotonic() + 5
    while sent and time.monotonic() < end:
        time.sleep(0.01)
    print(figures.as_json(), flush=True)
    client.disconnect()
    os._exit(0)


if __name__ == "__main__":
    main()
