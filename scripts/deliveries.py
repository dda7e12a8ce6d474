#!/usr/bin/env python3
"""Deliveries per second of server CPU, to native sessions and to sessions over WebSocket.

Usage: deliveries.py PARLOUR [MEMBERS [MESSAGES]]

Runs the binary as a server in a temporary folder. MEMBERS sessions (500) of one hundred accounts join a channel, all over
TLS or all over WebSocket, and one more sends MESSAGES (2000) of eighty bytes there. Counts what arrives, and the CPU time of
the server from the first message to the last delivery. The two kinds take turns, three times.
"""

import asyncio
import base64
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading

PASSWORD = "lanterns-over-the-harbour"
SESSIONS_PER_ACCOUNT = 5
MARK = b"PRIVMSG #load :"


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tls(alpn):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The server is a child of this script.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context


class Member:
    """A session, over TLS or over WebSocket."""

    def __init__(self, is_websocket):
        self.is_websocket = is_websocket
        self.buffer = b""

    async def connect(self, port):
        alpn = "http/1.1" if self.is_websocket else "irc"
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls(alpn), limit=1 << 20)
        if self.is_websocket:
            self.writer.write(
                f"GET /irc HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Protocol: text.ircv3.net\r\n\r\n".encode()
            )
            head = await self.reader.readuntil(b"\r\n\r\n")
            assert b" 101 " in head, head

    def send(self, *lines):
        for line in map(str.encode, lines):
            if not self.is_websocket:
                self.writer.write(line + b"\r\n")
                continue
            # Masked with zeros, which leaves the text as it is.
            length = bytes([0x80 | len(line)]) if len(line) < 126 else b"\xfe" + len(line).to_bytes(2, "big")
            self.writer.write(b"\x81" + length + bytes(4) + line)

    async def wait_for(self, text):
        while text not in self.buffer:
            more = await self.reader.read(65536)
            assert more, self.buffer
            self.buffer = self.buffer[-200:] + more
        self.buffer = b""

    async def log_in(self, name):
        login = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
        self.send("CAP REQ :sasl message-tags server-time", f"NICK {name}", f"USER {name} 0 * :x", "AUTHENTICATE PLAIN",
                  f"AUTHENTICATE {login}", "CAP END")
        await self.wait_for(b" 376 ")

    async def count(self, expected):
        counted, rest = 0, b""
        while counted < expected:
            more = rest + await self.reader.read(65536)
            counted += more.count(MARK)
            # A mark that is cut off here is found whole with what follows.
            rest = more[-(len(MARK) - 1):]
        return counted


async def measure(port, pid, is_websocket, members, messages):
    sender = Member(False)
    await sender.connect(port)
    await sender.log_in("sender")
    sender.send("JOIN #load", "PING joined")
    await sender.wait_for(b"joined")
    readers = [Member(is_websocket) for _ in range(members)]
    for start in range(0, members, 20):
        group = readers[start:start + 20]
        await asyncio.gather(*(member.connect(port) for member in group))
        for offset, member in enumerate(group):
            await member.log_in(f"m{(start + offset) // SESSIONS_PER_ACCOUNT}")
            member.send("JOIN #load", "PING joined")
            await member.wait_for(b"joined")
    counting = [asyncio.create_task(member.count(messages)) for member in readers]
    await asyncio.sleep(1)
    before = cpu_seconds(pid)
    for number in range(messages):
        sender.send(f"PRIVMSG #load :{number:06} " + "x" * 73)
        if number % 50 == 49:
            await sender.writer.drain()
            await asyncio.sleep(0)
    delivered = sum(await asyncio.gather(*counting))
    spent = cpu_seconds(pid) - before
    for member in [*readers, sender]:
        member.writer.close()
    return delivered / spent


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    members, messages = (int(word) for word in [*sys.argv[2:], *["500", "2000"][len(sys.argv) - 2:]])
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        home.joinpath("parlour.toml").write_text(
            "[web]\nenabled = true\n[passwords]\nmemory_kib = 8\niterations = 1\n[limits]\nflood = false\n"
            "sessions_per_account = 50\nsend_queue_bytes = 67108864\n")
        names = ["sender", *(f"m{number}" for number in range(-(-members // SESSIONS_PER_ACCOUNT)))]
        home.joinpath("people.csv").write_text("name,password\n" + "".join(f"{name},{PASSWORD}\n" for name in names))
        subprocess.run([binary, "user", "import", "people.csv"], cwd=home, check=True, capture_output=True)
        server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0"], cwd=home, stderr=subprocess.PIPE, text=True,
                                  env={**os.environ, "RUST_LOG": "info"})
        try:
            port = next(int(line.rsplit(":", 1)[1]) for line in server.stderr if "listening on" in line)

            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            results = {False: [], True: []}
            for _ in range(3):
                for is_websocket in results:
                    rate = asyncio.run(measure(port, server.pid, is_websocket, members, messages))
                    results[is_websocket].append(rate)
                    print(f"{'WebSocket' if is_websocket else 'native':>9}: {rate:,.0f} deliveries per CPU second", flush=True)
            native, websocket = (sorted(results[kind])[1] for kind in (False, True))
            print(f"medians: WebSocket has {websocket / native:.2f} of native")
        finally:
            server.terminate()
            server.wait()


main()
