"""FlatBuffers, as far as the format's schemas need them: tables, vectors, strings and scalars.

The .fbs files are read as they are. decode() verifies a buffer entirely while it turns it into objects (offsets,
lengths, alignment, the zero byte behind strings, depth and number of tables); encode() writes one from dictionaries.
"""

import os
import re
import struct
import sys
from array import array

# name: struct format, array type code (both of the same size)
SCALARS = {"ubyte": ("<B", "B"), "byte": ("<b", "b"), "ushort": ("<H", "H"), "short": ("<h", "h"),
           "uint": ("<I", "I"), "int": ("<i", "i"), "ulong": ("<Q", "Q"), "long": ("<q", "q")}
MAX_DEPTH, MAX_TABLES, MAX_SIZE = 16, 1 << 24, (1 << 31) - 1


class Malformed(Exception):
    """The bytes are no valid buffer of that type."""


class Table:
    """One decoded table: an attribute a field. Absent vectors are empty, absent tables None."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __repr__(self):
        return "Table(" + ", ".join(f"{k}={v!r}" for k, v in self.__dict__.items()) + ")"

    def __eq__(self, other):
        return isinstance(other, Table) and self.__dict__ == other.__dict__


class Schema:
    """The tables of one .fbs file: {table: [(field, type, is a vector)]}; a field's place is its number."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*", "", file.read())
        self.tables = {}
        for name, body in re.findall(r"table\s+(\w+)\s*\{([^}]*)\}", text):
            fields = re.findall(r"(\w+)\s*:\s*(\[?)\s*(\w+)\s*\]?\s*;", body)
            self.tables[name] = [(field, kind, bool(vector)) for field, vector, kind in fields]

    def decode(self, root, data):
        return _Decoder(self, bytes(data)).root(root)

    def encode(self, root, values):
        return _Encoder(self).root(root, values)


def load(name):
    """The schema src/format/schema/<name>.fbs."""
    here = os.path.dirname(os.path.abspath(__file__))
    return Schema(os.path.join(here, "..", "..", "src", "format", "schema", name + ".fbs"))


class _Decoder:
    def __init__(self, schema, data):
        self.schema, self.data, self.tables = schema, data, 0
        if len(data) > MAX_SIZE:
            raise Malformed("buffer of 2 GiB or more")

    def root(self, name):
        return self.table(name, self.follow(0), 1)

    def check(self, position, size, align):
        if position % align:
            raise Malformed(f"field at {position} is not aligned to {align}")
        if position < 0 or position + size > len(self.data):
            raise Malformed(f"{size} bytes at {position} lie outside the buffer")

    def scalar(self, position, kind):
        form = SCALARS[kind][0]
        size = struct.calcsize(form)
        self.check(position, size, size)
        return struct.unpack_from(form, self.data, position)[0]

    def follow(self, position):
        offset = self.scalar(position, "uint")
        if offset == 0 or offset > MAX_SIZE:
            raise Malformed(f"offset {offset} at {position}")
        return position + offset

    def table(self, name, position, depth):
        self.tables += 1
        if depth > MAX_DEPTH or self.tables > MAX_TABLES:
            raise Malformed("too many tables, or too deep")
        vtable = position - self.scalar(position, "int")
        size, inline = self.scalar(vtable, "ushort"), self.scalar(vtable + 2, "ushort")
        if size < 4 or size % 2:
            raise Malformed(f"vtable of {size} bytes")
        self.check(vtable, size, 2)
        self.check(position, inline, 4)
        result = Table()
        for number, (field, kind, vector) in enumerate(self.schema.tables[name]):
            entry = 4 + 2 * number
            offset = self.scalar(vtable + entry, "ushort") if entry < size else 0
            result.__dict__[field] = self.field(kind, vector, position + offset if offset else None, depth)
        return result

    def field(self, kind, vector, position, depth):
        if vector:
            return self.vector(kind, position, depth)
        if kind in SCALARS:
            return 0 if position is None else self.scalar(position, kind)
        if kind == "string":
            return "" if position is None else self.string(self.follow(position))
        return None if position is None else self.table(kind, self.follow(position), depth + 1)

    def string(self, start):
        length = self.scalar(start, "uint")
        self.check(start + 4, length + 1, 1)
        if self.data[start + 4 + length]:
            raise Malformed("string without its zero byte")
        return self.data[start + 4:start + 4 + length].decode("utf-8", "backslashreplace")

    def vector(self, kind, position, depth):
        code = SCALARS[kind][1] if kind in SCALARS else None
        if position is None:
            return b"" if kind == "ubyte" else array(code) if code else []
        start = self.follow(position)
        length = self.scalar(start, "uint")
        size = array(code).itemsize if code else 4
        self.check(start + 4, length * size, 1)
        if kind == "ubyte":
            return self.data[start + 4:start + 4 + length]
        if code:
            values = array(code, self.data[start + 4:start + 4 + length * size])
            if sys.byteorder == "big":
                values.byteswap()
            return values
        places = range(start + 4, start + 4 + 4 * length, 4)
        if kind == "string":
            return [self.string(self.follow(place)) for place in places]
        return [self.table(kind, self.follow(place), depth + 1) for place in places]


class _Encoder:
    """Writes front to back: a table, then what it refers to, as offsets only point forward."""

    def __init__(self, schema):
        self.schema, self.data = schema, bytearray(4)

    def root(self, name, values):
        self.patch(0, self.table(name, values))
        return bytes(self.data)

    def pad(self, align, ahead=0):
        """Zero bytes until the place `ahead` bytes on is aligned."""
        self.data += bytes(-(len(self.data) + ahead) % align)

    def patch(self, place, target):
        struct.pack_into("<I", self.data, place, target - place)

    def table(self, name, values):
        fields = self.schema.tables[name]
        unknown = set(values) - {field for field, _, _ in fields}
        if unknown:
            raise KeyError(f"{name} has no {unknown}")
        present = [(number, field, kind, vector) for number, (field, kind, vector) in enumerate(fields)
                   if values.get(field) is not None]
        offsets, end = {}, 4
        for number, field, kind, vector in present:
            size = 4 if vector or kind not in SCALARS else struct.calcsize(SCALARS[kind][0])
            end += -end % size
            offsets[number] = end
            end += size
        vtable_size = 4 + 2 * len(fields)
        self.pad(8, vtable_size)
        start = len(self.data) + vtable_size
        self.data += struct.pack("<HH", vtable_size, end)
        self.data += b"".join(struct.pack("<H", offsets.get(number, 0)) for number in range(len(fields)))
        self.data += struct.pack("<i", vtable_size) + bytes(end - 4)
        for number, field, kind, vector in present:
            place = start + offsets[number]
            if not vector and kind in SCALARS:
                struct.pack_into(SCALARS[kind][0], self.data, place, values[field])
            else:
                self.patch(place, self.child(kind, vector, values[field]))
        return start

    def child(self, kind, vector, value):
        if not vector:
            return self.string(value) if kind == "string" else self.table(kind, value)
        if kind in SCALARS:
            packed = bytes(value) if kind == "ubyte" else b"".join(struct.pack(SCALARS[kind][0], v) for v in value)
            size = struct.calcsize(SCALARS[kind][0])
        else:
            packed, size = bytes(4 * len(value)), 4
        self.pad(4)
        self.pad(size, 4)
        start = len(self.data)
        self.data += struct.pack("<I", len(value)) + packed
        if kind not in SCALARS:
            for number, element in enumerate(value):
                self.patch(start + 4 + 4 * number, self.child(kind, False, element))
        return start

    def string(self, value):
        raw = value if isinstance(value, bytes) else value.encode()
        self.pad(4)
        start = len(self.data)
        self.data += struct.pack("<I", len(raw)) + raw + b"\0"
        return start
