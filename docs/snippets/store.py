"""Every decision once in a table of SQLite, whatever dies in between: python store.py FILE [HOST [PORT]].

Needs paho-mqtt 2 (pip install paho-mqtt). The broker is told that we have a decision when it stands on the disk, and not
before; what then comes again has an id that is there.
"""

import json
import sqlite3
import sys

import paho.mqtt.client as mqtt

TABLE = """CREATE TABLE IF NOT EXISTS decision (
    device TEXT, id TEXT, seq INTEGER, boot TEXT, rule TEXT, state TEXT, at TEXT, body TEXT, PRIMARY KEY (device, id))"""
HOLES = """SELECT device, before + 1, seq - 1 FROM (
    SELECT device, seq, lag(seq) OVER (PARTITION BY device ORDER BY seq) AS before FROM decision) WHERE seq > before + 1"""


def main(path, host="localhost", port=1883):
    def keep(client, userdata, message):
        d = json.loads(message.payload)
        row = [d[key] for key in ("device", "id", "seq", "boot", "rule")]
        row += [json.dumps(d["state"]), d["at"], message.payload.decode()]
        with table:  # commits
            table.execute("INSERT OR IGNORE INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        client.ack(message.mid, message.qos)

    table = sqlite3.connect(path)
    table.execute("PRAGMA journal_mode = WAL")
    table.execute(TABLE)
    for device, first, last in table.execute(HOLES):
        print(f"{device}: {first} to {last} are missing", flush=True)
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, "floor-store", clean_session=False, manual_ack=True
    )
    client.on_connect = lambda client, *_: client.subscribe("edgeinfer/+/decision/+", qos=1)
    client.on_message = keep
    client.connect(host, int(port))
    client.loop_forever()


main(*sys.argv[1:])
