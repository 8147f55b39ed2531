"""Concealment by deviations (spec 6.5): spatial, inter-channel and auto."""
import math
import struct

PLACES = [0, 1, 2, 3, 5, 6, 7, 8]


def float32(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def spatial_taps(channels):
    beside, diagonal = float32(0.385), float32(-0.148225)
    return {
        "taps": 8,
        "sources": [9 * c + place for c in range(channels) for place in PLACES],
        "weights": [beside if place % 2 else diagonal for _ in range(channels) for place in PLACES],
    }


class Tap:
    def __init__(self, channel, place, weight):
        self.channel, self.weight = channel, weight
        self.down, self.right = place // 3 - 1, place % 3 - 1


class Table:
    """The used taps of each channel, those on other channels apart from those on its own."""

    def __init__(self, stored, deviations):
        count = stored["taps"]
        self.other = [[] for _ in deviations]
        self.own = [[] for _ in deviations]
        for i, (source, weight) in enumerate(zip(stored["sources"], stored["weights"])):
            channel, (looked_at, place) = i // count, divmod(source, 9)
            if weight == 0 or deviations[looked_at] == 0:
                continue
            tap = Tap(looked_at, place, weight * deviations[channel] / deviations[looked_at])
            (self.own if looked_at == channel else self.other)[channel].append(tap)


def in_eights(products):
    return products + [0.0] * (-len(products) % 8)


def add_up(products):
    total = 0.0
    for i in range(0, len(products), 8):
        p = products[i : i + 8]
        total += (p[0] + p[1] + p[2] + p[3]) + (p[4] + p[5] + p[6] + p[7])
    return total


class Field:
    """Deviations of a tensor's elements from what is expected; `values` are None where they are missing."""

    def __init__(self, shape, layout, values, expected):
        if layout == "chw":
            self.channels, self.height, self.width = shape
        else:
            self.height, self.width, self.channels = shape
        self.is_chw = layout == "chw"
        self.expected = expected
        self.missing = [value is None for value in values]
        self.d = [0.0 if value is None else float32(value - e) for value, e in zip(values, expected)]
        self.came = [not gone and math.isfinite(d) for gone, d in zip(self.missing, self.d)]
        self.d = [d if math.isfinite(d) else 0.0 for d in self.d]
        self.begin()

    def begin(self):
        """Missing elements begin with the mean deviation of what came of their channel."""
        for channel in range(self.channels):
            places = [(y, x) for y in range(self.height) for x in range(self.width)]
            elements = [self.element(channel, y, x) for y, x in places]
            present = [i for i in elements if not self.missing[i]]
            total = 0.0
            for i in present:
                total += self.d[i]
            for i in elements:
                if self.missing[i]:
                    self.d[i] = float32(total / (len(present) + 8))

    def element(self, channel, row, column):
        if not (0 <= row < self.height and 0 <= column < self.width):
            return None
        if self.is_chw:
            return (channel * self.height + row) * self.width + column
        return (row * self.width + column) * self.channels + channel

    def looked_at(self, tap, row, column):
        return self.element(tap.channel, row + tap.down, column + tap.right)

    def is_served(self, taps, row, column, thirds=1):
        places = [self.looked_at(tap, row, column) for tap in taps]
        found = sum(1 for place in places if place is not None and self.came[place])
        return bool(taps) and 3 * found >= thirds * len(taps)

    def predict(self, table, channel, row, column, lowest, highest):
        def products(taps):
            places = [self.looked_at(tap, row, column) for tap in taps]
            return in_eights([tap.weight * (0.0 if p is None else self.d[p]) for tap, p in zip(taps, places)])

        i = self.element(channel, row, column)
        values = products(table.other[channel]) + products(table.own[channel])
        total = add_up(values) if values else self.d[i]
        self.d[i] = float32(min(highest - self.expected[i], max(lowest - self.expected[i], total)))

    def choose(self, tables, channel, row, column):
        if len(tables) == 1:
            return tables[0]
        near, own, others = tables
        if self.is_served(near.own[channel], row, column, 2):
            return near
        own_serves = self.is_served(near.own[channel], row, column)
        other_serves = self.is_served(near.other[channel], row, column)
        if own_serves:
            return near if other_serves else own
        return others if other_serves or self.is_served(others.other[channel], row, column) else own

    def fill(self, tables, ranges):
        steps = []
        for channel in range(self.channels):
            runs = {id(table): [] for table in tables}
            for row in range(self.height):
                for column in range(self.width):
                    if self.missing[self.element(channel, row, column)]:
                        table = self.choose(tables, channel, row, column)
                        runs[id(table)].append((table, channel, row, column, *ranges[channel]))
            for table in tables:
                steps += runs[id(table)]
        for sweep in (steps, steps[::-1], steps):
            for step in sweep:
                self.predict(*step)
        return [e + d for e, d in zip(self.expected, self.d)]
