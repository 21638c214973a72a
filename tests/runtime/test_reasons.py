from edgeinfer.events import Inference
from edgeinfer.runtime.reasons import Reasons
from edgeinfer.taps import Account
from tests.runtime.decisions import decided
from tests.samples import at, readings


def test_the_last_decisions_are_known_with_what_was_inferred(open_outbox, clock):
    outbox, reasons = open_outbox(), Reasons(2)
    entries = [outbox.append([decided(clock, n)])[0] for n in range(3)]
    seen = Inference(("belt", 0), at(), ())
    for entry in entries:
        reasons("pipeline.p", Account((entry,), (seen, readings()), {"scratched": "off"}))
    assert reasons.of(entries[0].id) is None
    entry, account = reasons.of(entries[2].id)
    assert entry == entries[2]
    assert account.seen == (seen,)
    assert account.before == {"scratched": "off"}
