"""topics_codec.py COUNT: a codec for topics, from the description of their wire alone.

Takes lines of what somebody says that frames are, and ends at the first that it reads or writes otherwise. Then writes COUNT
such lines of its own. A line is JSON: {"frame": hex, "id", "kind", "version", "flags" and "body" of a request, or "reply"}.
"""
import gzip, json, random, struct, sys, zlib

# Types of fields: letters of struct, and 8 bytes "q" from 0, "l" from -1, "L" from -2; texts "s", names "n", topics "t", groups "g";
# "U" topics without one that comes twice, "?" a flag, "T" a time or none, "A" acks, "-" an empty list that is not there,
# "P" who produces, "m" messages of version 1, "M" of version 2, "c" how those are compressed and "C" whether, "Z" messages by
# the codec before them, "S" those of version 2 with their bytes before them, a list of fields: many of them,
# a tuple of one: many values, a dict: fields by name in a value of their own.
PART = {"topic": "t", "partition": "I"}
RANGE = {"start": "q", "highWaterMark": "q"}
SETTINGS = lambda t: {"retentionMs": t, "retentionBytes": t, "segmentBytes": t, "segmentMs": t, "dedupeMs": t}
MEMBER = {"group": "g", "generation": "I", "member": "n"}
KEPT = {**PART, "offset": "l", "metadata": "s"}
ENDS = {"start": "q", "end": "q", "highWaterMark": "q"}
FETCH = {**PART, "offset": "L", "maxBytes": "I"}
WAIT = {"minBytes": "I", "maxWaitMs": "I"}
PRODUCE = {**PART, "acks": "A", "timeoutMs": "i", "producer": "P"}
DONE = {"baseOffset": "q", "count": "I", "highWaterMark": "q", "duplicates": "-"}
TOLD = {**DONE, "duplicates": [{"message": "I", "partition": "I", "offset": "q"}]}
KINDS = {  # type, version, request, reply, and the flag for what is compressed
    "produce": [(1, 1, {**PART, "messages": "m"}, DONE),
                (1, 2, {**PRODUCE, "codec": "0", "messages": "M"}, TOLD),
                (1, 2, {**PRODUCE, "codec": "c", "messages": "Z"}, TOLD, 2)],
    "fetch": [(2, 1, FETCH, {"highWaterMark": "q", "messages": "m"}),
              (2, 2, {**FETCH, **WAIT}, {"highWaterMark": "q", "messages": "M"}),
              (2, 2, {**FETCH, **WAIT, "codec": "c"}, {"highWaterMark": "q", "codec": "C", "messages": "Z"}, 2)],
    "getOffset": [(3, 1, PART, {**PART, **ENDS}), (3, 2, {**PART, "time": "T"}, {**PART, **ENDS, "atTime": "l"})],
    "createTopic": [(4, v, {"topic": "t", "partitions": "I", "replicationFactor": "H"},
                     {"topic": "t", "created": "?"}) for v in (1, 2)],
    "deleteTopic": [(5, v, {"topic": "t"}, {"topic": "t", "deleted": "?"}) for v in (1, 2)],
    "listTopics": [(6, v, {}, {"topics": [{"name": "t", "partitions": "I"}]}) for v in (1, 2)],
    "healthCheck": [(7, v, {}, {"status": "n", "uptimeSeconds": "q"}) for v in (1, 2)],
    "commitOffsets": [(12, 2, {"group": "g", "generation": "I", "member": "n", "offsets": [KEPT]}, {"codes": ("H",)})],
    "fetchOffsets": [(13, 2, {"group": "g", "partitions": [PART]}, {"offsets": [KEPT]})],
    "initProducer": [(14, 2, {"transactionalId": "n"}, {"producerId": "q", "epoch": "H"})],
    "hello": [(64, 2, {"client": "n", "token": "s"}, {"serverId": "n", "clusterId": "n", "features": "I"})],
    "metadata": [(65, 2, {"topics": ("t",)}, {
        "servers": [{"id": "n", "host": "n", "port": "H", "role": "B"}], "leader": "n",
        "topics": [{"name": "t", "topicId": "q", "partitions": [RANGE]}]})],
    "describeTopic": [(66, 2, {"topic": "t"}, {
        "topic": "t", "topicId": "q", "replicationFactor": "H", "settings": SETTINGS("l"),
        "partitions": [{**RANGE, "bytes": "q"}]})],
    "alterTopic": [(67, 2, {"topic": "t", "settings": SETTINGS("L")}, {"settings": SETTINGS("l")})],
    "deleteRecords": [(68, 2, {**PART, "offset": "l"}, {"start": "q"})],
    "transact": [(69, 2, {
        "producerId": "q", "epoch": "H", "parts": [{**PART, "baseSequence": "i", "messages": "S"}], "group": "n",
        "generation": "I", "member": "n", "offsets": [{**KEPT, "offset": "q", "expected": "L"}]}, {"parts": [TOLD]})],
    "joinGroup": [(8, 2, {"group": "g", "member": "n", "client": "n", "sessionTimeoutMs": "I", "rebalanceTimeoutMs": "I",
                          "topics": "U"}, {"member": "n", "generation": "I"})],
    "syncGroup": [(9, 2, {**MEMBER, "held": [PART]}, {"generation": "I", "assigned": [PART], "more": "?"})],
    "heartbeat": [(10, 2, MEMBER, {})],
    "leaveGroup": [(11, 2, {"group": "g", "member": "n"}, {})],
    "describeGroup": [(70, 2, {"group": "g"}, {"generation": "I", "members": [
        {"member": "n", "client": "n", "generation": "I", "owned": [PART]}]})],
    "listGroups": [(71, 2, {}, {"groups": [{"group": "g", "generation": "I", "members": "I"}]})],
}
LETTERS = {"q": "q", "l": "q", "L": "q", "i": "i", "A": "h", "0": "B", "c": "B", "C": "B"}
PACK = {1: gzip.compress, 2: zlib.compress}
UNPACK = {1: gzip.decompress, 2: zlib.decompress}
sized = lambda data: struct.pack(">I", len(data)) + data
blob = lambda hexed, nulls: (b"\xff" * 4 if nulls else b"\0" * 4) if hexed is None else sized(bytes.fromhex(hexed))

def put(kind, value):
    if isinstance(kind, dict):
        return b"".join(packed(value) if t == "Z" else put(t, value.get(name)) for name, t in kind.items())
    if kind == "U":
        return put(("t",), value)
    if isinstance(kind, (list, tuple)):
        return struct.pack(">I", len(value)) + b"".join(put(kind[0], one) for one in value)
    if kind == "-":
        return b""
    if kind in "stng":
        return sized(value.encode())
    if kind == "T":
        return struct.pack(">q", -1 if value is None else int(value))
    if kind == "P":
        return struct.pack(">QHi", *([value[n] for n in ("id", "epoch", "baseSequence")] if value else (0, 0, 0)))
    if kind == "S":
        data = put("M", value)
        return data[:4] + sized(data[4:])
    if kind in "mM":
        return struct.pack(">I", len(value)) + b"".join(
            struct.pack(">qq", m["offset"], int(m["timestamp"])) + blob(m["key"], kind == "M") + blob(m["value"], kind == "M") +
            struct.pack(">I", len(m["headers"])) + b"".join(sized(n.encode()) + blob(v, False) for n, v in m["headers"])
            for m in value)
    return struct.pack(">" + LETTERS.get(kind, kind), value)

def packed(value):
    """Messages as they are, or the number of those that were compressed and what became of them."""
    if value["codec"] == 0:
        return put("M", value["messages"])
    return struct.pack(">I", value["messages"]["count"]) + sized(bytes.fromhex(value["messages"]["packed"]))

def unpacked(codec, rest):
    if codec == 0:
        return get("M", rest)
    count, data = struct.unpack(">I", rest[:4])[0], some(rest[4:])
    plain, none = get("M", struct.pack(">I", count) + UNPACK[codec](data[0]))
    assert none == b""
    return {"count": count, "packed": data[0].hex(), "plain": plain}, data[1]

def get(kind, rest):
    """The value, and what follows it."""
    if isinstance(kind, dict):
        value = {}
        for name, t in kind.items():
            value[name], rest = unpacked(value["codec"], rest) if t == "Z" else get(t, rest)
        return value, rest
    if kind == "U":
        return get(("t",), rest)
    if isinstance(kind, (list, tuple)) or kind in "mM":
        count, rest = get("I", rest)
        values = []
        for _ in range(count):
            value, rest = get(kind[0], rest) if kind not in ("m", "M") else message(kind == "M", rest)
            values.append(value)
        return values, rest
    if kind == "-":
        return [], rest
    if kind == "S":
        data, after = some(rest[4:])
        values, left = get("M", rest[:4] + data)
        assert left == b""
        return values, after
    if kind in "stng":
        data, rest = some(rest)
        return data.decode(), rest
    if kind == "T":
        got = struct.unpack(">q", rest[:8])[0]
        return None if got == -1 else str(got), rest[8:]
    if kind == "P":
        got = struct.unpack(">QHi", rest[:14])
        return dict(zip(("id", "epoch", "baseSequence"), got)) if got[0] else None, rest[14:]
    letter = ">" + LETTERS.get(kind, kind)
    return struct.unpack_from(letter, rest)[0], rest[struct.calcsize(letter):]

def some(rest):
    length = struct.unpack_from(">I", rest)[0]
    return (None, rest[4:]) if length == 0xffffffff else (rest[4:4 + length], rest[4 + length:])

def message(nulls, rest):
    offset, timestamp = struct.unpack_from(">qq", rest)
    key, rest = some(rest[16:])
    value, rest = some(rest)
    hexed = lambda data: None if data is None or (not nulls and not data) else data.hex()
    headers, rest = get("I", rest)
    pairs = []
    for _ in range(headers):
        name, rest = some(rest)
        content, rest = some(rest)
        pairs.append([name.decode(), content.hex()])
    return {"offset": offset, "timestamp": str(timestamp), "key": hexed(key), "value": hexed(value), "headers": pairs}, rest

def frame(said):
    kind, _, request, reply = layout_of(said)[:4]
    head = struct.pack(">Q", int(said["id"]))
    if "reply" in said:
        head += struct.pack(">BH", 0, 0) + put(reply, said["reply"])
    else:
        head += struct.pack(">BBH", kind, said["version"], said["flags"]) + put(request, said["body"])
    return sized(head + struct.pack(">I", zlib.crc32(head)))

def layout_of(said):
    return next(kind for kind in KINDS[said["kind"]]
                if kind[1] == said["version"] and kind[4:] == ((2,) if said["flags"] & 2 else ()))

def check(said):
    """Whether what the frame says is what was said of it."""
    data = bytes.fromhex(said["frame"])
    assert struct.unpack(">I", data[:4])[0] == len(data) - 4
    assert zlib.crc32(data[4:-4]) == struct.unpack(">I", data[-4:])[0]
    assert str(struct.unpack(">Q", data[4:12])[0]) == said["id"]
    number, version, request, reply = layout_of(said)[:4]
    name, layout, at = ("reply", reply, 15) if "reply" in said else ("body", request, 16)
    head = (0, 0) if name == "reply" else (number, version, said["flags"])
    assert struct.unpack_from(">BH" if name == "reply" else ">BBH", data, 12) == head
    value, rest = get(layout, data[at:-4])
    assert rest == b"" and value == {field: said[name].get(field) for field in layout}, (value, said)

def chance(kind):
    if isinstance(kind, dict):
        value = {name: chance(t) for name, t in kind.items() if t != "Z"}
        for name in (name for name, t in kind.items() if t == "Z"):
            plain, codec = chance("M"), value["codec"]
            data = PACK[codec](put("M", plain)[4:]).hex() if codec else ""
            value[name] = {"count": len(plain), "packed": data, "plain": plain} if codec else plain
        return value
    if isinstance(kind, (list, tuple)):
        return [chance(kind[0]) for _ in range(random.randrange(4))]
    if kind == "U":
        return list({chance("t"): 1 for _ in range(random.randrange(1, 6))})
    if kind in "tsng":
        letters = "abcXYZ019._-" if kind == "t" else "a~é€日😀\0"
        return "".join(random.choice(letters) for _ in range(random.randrange(30))) + ("x" if kind in "tg" else "")
    if kind == "T":
        return random.choice((None, str(random.randrange(2 ** random.randrange(1, 64)))))
    if kind == "-":
        return []
    if kind == "P":
        return random.choice((None, {"id": 2 ** random.randrange(53), "epoch": chance("H"), "baseSequence": chance("i")}))
    if kind in "mMS":
        data = lambda: random.choice((None, random.randbytes(random.randrange(1 if kind == "m" else 0, 50)).hex()))
        return [{"offset": chance("q"), "timestamp": str(random.randrange(-2**63, 2**63)), "key": data(), "value": data(),
                 "headers": [[chance("s"), random.randbytes(3).hex()] for _ in range(random.randrange(3))]}
                for _ in range(random.randrange(1, 5))]
    least = {"l": -1, "L": -2, "A": -1, "c": 1}.get(kind, 0)
    most = {"B": 2**8, "H": 2**16, "I": 2**32, "i": 2**31, "?": 2, "A": 2, "0": 1, "c": 3, "C": 3}.get(kind, 2**53)
    value = random.choice((least, most - 1, random.randrange(least, most), max(least, int(2 ** (random.random() * 53)) % most)))
    return bool(value) if kind == "?" else value

for line in sys.stdin:
    said = json.loads(line)
    assert frame(said).hex() == said["frame"], (said, frame(said).hex())
    check(said)
for _ in range(int(sys.argv[1])):
    name = random.choice(list(KINDS))
    _, version, request, reply, *flag = random.choice(KINDS[name])
    flags = random.choice((0, 1, 8, 0x8000)) | sum(flag)
    said = {"id": str(random.randrange(2**64)), "kind": name, "version": version, "flags": flags}
    said.update(random.choice(({"body": chance(request)}, {"reply": chance(reply)})))
    print(json.dumps({"frame": frame(said).hex(), **said}))
