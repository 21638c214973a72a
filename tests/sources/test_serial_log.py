import logging

from edgeinfer.sources.serial_log import LINES, NodeLog


def test_a_babbling_node_fills_no_log_and_what_was_left_out_is_counted(caplog):
    now = [0.0]
    say = NodeLog("motor", lambda: now[0])
    for n in range(LINES + 30):
        say(logging.WARNING, f"hot {n}")
    assert caplog.messages == [f"motor: hot {n}" for n in range(LINES)]
    now[0] = 61.0
    say(logging.WARNING, "cold")
    assert caplog.messages[LINES:] == ["motor: 30 lines of the node were left out", "motor: cold"]
