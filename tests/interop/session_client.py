"""session_client.py HOST:PORT ...: a client for sessions, from the description of their wire and its vectors alone.

Lives the life of a session with servers of which one leads; loses its connection, says so and waits for a line; prints what it saw.
"""
import json, random, socket, struct, sys, time

HEAD = b"zraft\x01"
CREATE, CONTINUE, KEEP_ALIVE, REQUEST, ACK, CLOSE, QUERY = 1, 2, 3, 4, 5, 6, 8
CREATED, CONTINUED, REJECTED, ALIVE, RESPONSE, SERVER_REQUEST, ERROR, ANSWER = 1, 2, 3, 5, 6, 7, 8, 9
NOW, EXPIRED = 1800000000000, 2

s16 = lambda text: struct.pack(">H", len(text)) + text
i64 = lambda number: struct.pack(">q", number)
number_in = lambda body: struct.unpack(">q", body[:8])[0]

class Connection:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.file = self.socket.makefile("rb")

    def send(self, kind, body=b""):
        message = HEAD + bytes([kind]) + body
        self.socket.sendall(struct.pack(">I", len(message)) + message)

    def ask(self, kind, name, **members):
        data = json.dumps(members).encode()
        self.send(kind, name + struct.pack(">i", len(data)) + data + i64(NOW))

    def command(self, number, **members):
        self.ask(REQUEST, i64(number) + i64(number), **members)  # Nothing before waits.

    def receive(self, *wanted):
        """The next message of one of these types; the others are passed over."""
        while True:
            length = self.file.read(4) or b"\0\0\0\0"
            message = self.file.read(struct.unpack(">I", length)[0])
            if message[:6] != HEAD:
                raise ConnectionError("closed")
            if message[6] in wanted:
                return message[6], message[7:]

    def result(self, number):
        kind, body = self.receive(RESPONSE, ERROR)
        assert kind == RESPONSE and number_in(body) == number, (kind, body)
        return json.loads(body[12:])["result"]

    def told(self, number):
        while number_in(body := self.receive(SERVER_REQUEST)[1]) != number:
            pass  # It was acknowledged already.
        return json.loads(body[12:-8])["value"]

def enter(addresses, kind, body):
    """Asks one server after the other until one leads: the connection, if it gives the session, and what it says."""
    for _ in range(200):
        for address in addresses:
            nonce = i64(random.randint(1, 2**62))
            try:
                connection = Connection(address)
                connection.send(kind, body + nonce)
                got, answer = connection.receive(CREATED, CONTINUED, REJECTED)
            except OSError:
                continue
            assert nonce == (answer[1:9] if got == REJECTED else answer[-8:])
            if got != REJECTED or answer[0] == EXPIRED:
                return (None if got == REJECTED else connection), answer
        time.sleep(0.1)
    raise TimeoutError("no server leads")

addresses, seen = sys.argv[1:], {}
one, answer = enter(addresses, CREATE, struct.pack(">H", 1) + s16(b"worker") + s16(b"v2"))
session = answer[:-8]
key = "python-%d" % random.randint(1, 2**62)
one.command(1, action="INCR", key=key)
one.command(1, action="INCR", key=key)
seen["again"] = [one.result(1), one.result(1)]
one.ask(QUERY, s16(b"q1"), action="GET", key=key)
_, body = one.receive(ANSWER)
seen["query"] = [body[2:4].decode(), json.loads(body[8:])["result"]]
one.send(KEEP_ALIVE, i64(NOW))
seen["alive"] = number_in(one.receive(ALIVE)[1]) == NOW
one.command(2, action="WATCH", key=key)
one.command(3, action="INCR", key=key)
seen["told"] = one.told(1)
one.send(ACK, i64(1))
one.command(4, action="INCR", key=key)
one.socket.shutdown(socket.SHUT_RDWR)  # Whether it was done is not known.
input("lost\n")
two, _ = enter(addresses, CONTINUE, session)
two.command(4, action="INCR", key=key)
seen["after"] = two.told(2)
two.send(ACK, i64(2))
two.command(3, action="INCR", key=key)
seen["evicted"] = [number_in(body := two.receive(ERROR)[1]), body[8]]
two.command(5, action="INCR", key=key)
seen["sum"] = two.result(5)
two.send(CLOSE, b"\x01")
while (left := enter(addresses, CONTINUE, session))[0]:
    time.sleep(0.1)
seen["closed"] = left[1][0] == EXPIRED
print(json.dumps(seen))
