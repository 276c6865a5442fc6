"""Requests that go on while everything else is being killed."""

import threading

from product import Wrong


class Witness(threading.Thread):
    """Asks all the time, with the overlay's context and without: an answer is the right copy's or a stated error, whatever
    is being killed, created or deleted."""

    def __init__(self, shop):
        super().__init__(daemon=True)
        self.shop = shop
        # Known when the baseline runs.
        self.url = None
        self.over = threading.Event()
        self.counts = {}
        self.wrong = []

    def run(self):
        overlay = False
        while not self.over.wait(0.1):
            overlay = not overlay
            if self.url:
                try:
                    kind = self.shop.judge(self.url, overlay)
                except (Wrong, ValueError, KeyError, TypeError) as problem:
                    self.wrong.append(f"with the overlay's context: {overlay}: {problem!r}")
                    kind = "WRONG"
                self.counts[kind] = self.counts.get(kind, 0) + 1

    def end(self):
        self.over.set()
        self.join()
