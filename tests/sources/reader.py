"""Reads a source in a thread, as a feed does."""

from threading import Event, Thread

from edgeinfer.errors import SourceLost


class Reader:
    """Reads a source in a thread of its own until it is stopped or lost."""

    def __init__(self, source):
        self.found, self.error, self.stop = [], None, Event()
        self.thread = Thread(target=self._run, args=(source,))
        self.thread.start()

    def _run(self, source):
        try:
            for sample in source.samples(self.stop):
                self.found.append(sample)
        except SourceLost as error:
            self.error = str(error)

    def end(self):
        self.stop.set()
        self.thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
