#!/usr/bin/env python3
"""The gap that clients see while another server takes over, with sessions that talk throughout.

Usage: takeover.py PARLOUR [SESSIONS [SECONDS]]

Runs the binary as a server in a temporary folder. SESSIONS accounts (1000), 25 a channel, send 200 messages a second together.
Beside them are Parlour's own chat, and irssi and WeeChat where they and tmux are installed. After SECONDS (15), `parlour serve
--takeover` starts; after it answers they talk for that long again. The sessions of this script do as Parlour's clients: told that the server
restarts, they connect again at once, and send again what has no echo, under the same send ids.

Prints the time from the last line of the former server to the welcome of the new one, and the same for the other clients by the
server's log. Fails if a connection is refused, a message that had its echo is missing, or one is there twice.
"""

import asyncio
import base64
import collections
import datetime
import os
import pathlib
import re
import shutil
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time

PASSWORD = "lanterns-over-the-harbour"
MEMBERS = 25
MESSAGES_PER_SECOND = 200
# Devices cost no password check, and the sessions stand for those.
CONFIG = """
passwords.memory_kib = 8
passwords.iterations = 1
limits.connections_per_address = 0
"""
CAPS = "sasl message-tags echo-message parlour/send-id"
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# The server is a child of this script.
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


class Server:
    def __init__(self, parlour, home, *options):
        command = [parlour, "serve", *options]
        self.process = subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait_for(self, pattern, timeout=60, count=1):
        """Returns the time and the text of the first lines that match."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = [line for line in self.lines if re.search(pattern, line)]
                if len(found) >= count:
                    return [(datetime.datetime.fromisoformat(line.split()[0]).timestamp(), line) for line in found]
                if not self.changed.wait(deadline - time.monotonic()):
                    return []


class Session:
    def __init__(self, name, channel, port):
        self.name, self.channel, self.port = name, channel, port
        self.unconfirmed = collections.OrderedDict()
        self.confirmed, self.gaps, self.errors = {}, [], []
        self.sent = 0
        self.lost_at = None
        self.writer = None
        self.online = asyncio.Event()

    async def run(self):
        while True:
            try:
                await self.connect()
            except ConnectionRefusedError:
                self.errors.append("refused")
            except (OSError, asyncio.IncompleteReadError) as error:
                self.errors.append(type(error).__name__)
            self.online.clear()
            self.lost_at = self.lost_at or time.monotonic()

    async def connect(self):
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=TLS)
        plain = base64.b64encode(f"\0{self.name}\0{PASSWORD}".encode()).decode()
        login = f"CAP LS 302\r\nNICK {self.name}\r\nUSER {self.name} 0 * :{self.name}\r\nCAP REQ :{CAPS}\r\nAUTHENTICATE PLAIN\r\n"
        self.writer.write(f"{login}AUTHENTICATE {plain}\r\nCAP END\r\n".encode())
        while line := await reader.readline():
            text = line.decode().rstrip("\r\n")
            tags, text = text[1:].split(" ", 1) if text.startswith("@") else ("", text)
            words = text.split(" ")
            if words[0] == "ERROR":
                self.lost_at = time.monotonic()
                self.errors += [] if text.endswith("restarting") else [text]
            elif words[0] == "PING":
                self.writer.write(f"PONG {words[1]}\r\n".encode())
            elif words[1] == "001":
                if self.lost_at is not None:
                    self.gaps.append(time.monotonic() - self.lost_at)
                self.lost_at = None
                self.writer.write(f"JOIN {self.channel}\r\n".encode())
                for number in self.unconfirmed:
                    self.write(number)
                self.online.set()
            elif words[1] in ("433", "464", "904"):
                raise SystemExit(f"{self.name}: {text}")
            elif words[1] == "PRIVMSG" and words[0].startswith(f":{self.name}!"):
                number = int(words[-1])
                self.unconfirmed.pop(number, None)
                self.confirmed[number] = re.search("msgid=([^;]*)", tags)[1]

    def write(self, number):
        line = f"@parlour/send-id={self.name}-{number} PRIVMSG {self.channel} :{self.name} {number}\r\n"
        self.writer.write(line.encode())

    async def talk(self, interval):
        while True:
            await asyncio.sleep(interval)
            self.sent += 1
            self.unconfirmed[self.sent] = True
            if self.online.is_set():
                self.write(self.sent)


class Screens:
    """irssi and WeeChat, each in a window of a tmux of its own."""

    def __init__(self, home, port):
        self.socket = str(home / "tmux")
        self.clients = []
        if not shutil.which("tmux"):
            return
        if shutil.which("irssi"):
            folder = home / "irssi"
            folder.mkdir()
            (folder / "config").write_text(
                f'servers = ({{ address = "127.0.0.1"; chatnet = "p"; port = "{port}"; use_tls = "yes"; tls_verify = "no"; autoconnect = "yes"; }});\n'
                'chatnets = { p = { type = "IRC"; nick = "irene"; sasl_mechanism = "PLAIN"; sasl_username = "irene";'
                f' sasl_password = "{PASSWORD}"; }}; }};\n'
                # The default is five minutes since the last attempt to connect, which most connections are past.
                'settings = { core = { server_reconnect_time = "10s"; }; };\n'
            )
            self.start("irene", f"irssi --home {folder}")
        if shutil.which("weechat"):
            folder = home / "weechat"
            options = [
                f"/server add p 127.0.0.1/{port} -ssl -nicks=wanda -sasl_mechanism=plain -sasl_username=wanda",
                f"/set irc.server.p.sasl_password {PASSWORD}",
                "/set irc.server.p.ssl_verify off",
                "/connect p",
            ]
            runs = " ".join(f"-r '{option}'" for option in options)
            self.start("wanda", f"weechat -d {folder} {runs}")

    def start(self, name, command):
        self.tmux("new-session", "-d", "-s", name, "-x", "120", "-y", "30", command)
        self.clients.append(name)

    def tmux(self, *words):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
        environment.pop("TMUX", None)
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], env=environment, check=False)

    def stop(self):
        if self.clients:
            self.tmux("kill-server")


def start_chat(parlour, home):
    """Parlour's own client, logged in by the key of its device."""
    environment = {**os.environ, "HOME": str(home / "carla"), "PARLOUR_DISCOVERY": "off"}
    environment = {key: value for key, value in environment.items() if not key.startswith("XDG_")}
    (home / "carla").mkdir()
    link = subprocess.run([parlour, "invite", "create"], cwd=home, capture_output=True, text=True, check=True).stdout.split()[-1]
    join = [parlour, "join", link, "--name", "carla", "--password-stdin"]
    subprocess.run(join, input=PASSWORD + "\n", text=True, cwd=home, env=environment, capture_output=True, check=True)
    chat = [parlour, "chat", "--plain"]
    null = subprocess.DEVNULL
    return subprocess.Popen(chat, cwd=home, env=environment, stdin=subprocess.PIPE, stdout=null, stderr=null)


def describe(gaps):
    gaps = sorted(gaps)
    at = lambda part: gaps[min(len(gaps) - 1, int(len(gaps) * part))]
    return f"median {at(0.5):.2f} s, 99 % within {at(0.99):.2f} s, longest {gaps[-1]:.2f} s"


def check_messages(home, sessions):
    database = sqlite3.connect(home / "data/parlour.db")
    stored = collections.defaultdict(list)
    for text, message_id in database.execute("SELECT text, id FROM messages WHERE kind < 2"):
        stored[text].append(f"{message_id:016x}")
    confirmed = 0
    for session in sessions:
        for number, message_id in session.confirmed.items():
            confirmed += 1
            found = stored[f"{session.name} {number}"]
            if found != [message_id]:
                raise SystemExit(f"{session.name} {number}: echoed as {message_id}, stored as {found}")
    return confirmed


async def main(parlour, count, seconds):
    home = pathlib.Path(tempfile.mkdtemp(prefix="parlour-takeover-"))
    (home / "parlour.toml").write_text(CONFIG)
    names = [f"user{number}" for number in range(count)] + ["irene", "wanda"]
    (home / "people.csv").write_text("name,password\n" + "".join(f"{name},{PASSWORD}\n" for name in names))
    subprocess.run([parlour, "user", "import", "people.csv"], cwd=home, check=True, capture_output=True)
    first = Server(parlour, home, "--listen", "127.0.0.1:0")
    port = int(first.wait_for("listening on")[0][1].rsplit(":", 1)[1])
    second = chat = screens = None
    try:
        sessions = [Session(f"user{number}", f"#c{number // MEMBERS}", port) for number in range(count)]
        tasks = []
        for session in sessions:
            tasks.append(asyncio.create_task(session.run()))
            await session.online.wait()
        tasks += [asyncio.create_task(session.talk(count / MESSAGES_PER_SECOND)) for session in sessions]
        chat = await asyncio.to_thread(start_chat, parlour, home)
        screens = Screens(home, port)
        others = ["carla", *screens.clients]
        for name in others:
            if not await asyncio.to_thread(first.wait_for, f"logged in .*account={name}$"):
                raise SystemExit(f"{name} does not log in")
        await asyncio.sleep(seconds)
        second = Server(parlour, home, "--takeover", "--listen", f"127.0.0.1:{port}")
        if not await asyncio.to_thread(second.wait_for, "has taken over"):
            raise SystemExit("".join(second.lines))
        for session in sessions:
            await asyncio.wait_for(session.online.wait(), 60)
        await asyncio.sleep(seconds)
        begun = first.wait_for("another server takes over")[0][0]
        answers = second.wait_for("has taken over")[0][0]
        for task in tasks[count:]:
            task.cancel()
        deadline = time.monotonic() + 30
        while any(session.unconfirmed for session in sessions) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        print(f"the new server answers {answers - begun:.2f} s after the former one lets go")
        print(f"{count} sessions that talk: {describe([gap for session in sessions for gap in session.gaps])}")
        for name in others:
            came = await asyncio.to_thread(second.wait_for, f"logged in .*account={name}$")
            print(f"{name}: " + (f"{came[0][0] - begun:.2f} s" if came else "did not come back within a minute"))
        errors = collections.Counter(error for session in sessions for error in session.errors)
        print(f"errors of connections: {dict(errors) or 'none'}")
        unconfirmed = sum(len(session.unconfirmed) for session in sessions)
        print(f"{check_messages(home, sessions)} messages echoed, all stored once; {unconfirmed} without an echo")
        if errors["refused"] or unconfirmed:
            raise SystemExit("connections were refused, or messages not confirmed")
    finally:
        if screens:
            screens.stop()
        for process in [chat, second and second.process, first.process]:
            if process and process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    program, *numbers = sys.argv[1:]
    count, seconds = [int(number) for number in numbers] + [1000, 15][len(numbers):]
    asyncio.run(main(str(pathlib.Path(program).resolve()), count, seconds))
