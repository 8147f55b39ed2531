"""What slices hold (spec 5.8)."""
import math
import re

from wire_error import WireError

MAX_TEXT = 64
MAX_ELEMENTS = 1 << 20
KINDS = ("contiguous", "channel-strided", "checkerboard")


def read_interleaving(text):
    """Kind and seed; WireError unknownInterleaving where there are none."""
    if len(text) > MAX_TEXT:
        raise WireError("unknownInterleaving")
    if text.strip() in KINDS:
        return text.strip(), 0
    if text == "":
        return "contiguous", 0
    found = re.fullmatch(r"\s*pseudo-random\s*(?::\s*seed\s*=\s*([0-9]{1,9})\s*)?", text)
    if not found:
        raise WireError("unknownInterleaving")
    return "pseudo-random", int(found[1] or 1)


def parse_interleaving(value):
    kind, seed = read_interleaving(value["interleave"])
    text = {"contiguous": "", "pseudo-random": f"pseudo-random:seed={seed}"}.get(kind, kind)
    return {"interleave": text}


def spread(row, column, row_bits, column_bits):
    rank = 0
    for bit in range(max(row_bits, column_bits)):
        y, x = row >> bit & 1, column >> bit & 1
        if bit < row_bits and bit < column_bits:
            rank = rank << 2 | (y ^ x) << 1 | y
        else:
            rank = rank << 1 | (y if bit < row_bits else x)
    return rank


def scramble(place, seed):
    h = (0x9E3779B9 * place + seed) % 2**32
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def dealt_places(rows, columns, kind, seed):
    row_bits, column_bits = (rows - 1).bit_length(), (columns - 1).bit_length()

    def rank(place):
        if kind == "pseudo-random":
            return scramble(place, seed)
        return spread(*divmod(place, columns), row_bits, column_bits)

    return sorted(range(rows * columns), key=rank)


def dealt_elements(shape, layout, interleaving):
    """The elements of a tensor in the order in which slices of single elements hold them."""
    count = math.prod(shape)
    kind, seed = interleaving
    if kind == "contiguous":
        return range(count)
    if count > MAX_ELEMENTS:
        raise WireError("unknownInterleaving")
    if layout == "hwc":
        rows, columns, channels = shape
    else:
        columns = shape[-1] if shape else 1
        rows = shape[-2] if len(shape) > 1 else 1
        channels = count // (rows * columns)
    plane = rows * columns

    def element(channel, place):
        return place * channels + channel if layout == "hwc" else channel * plane + place

    if kind == "channel-strided":
        return [element(c, p) for c in dealt_places(1, channels, kind, seed) for p in range(plane)]
    dealt = dealt_places(rows, columns, kind, seed)
    return [
        element(c, dealt[(rank + c * plane // channels) % plane]) for rank in range(plane) for c in range(channels)
    ]
