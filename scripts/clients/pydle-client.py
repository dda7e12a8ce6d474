"""The checks of scripts/more-clients.sh that pydle makes, as paul. Run with the port; SSL_CERT_FILE has the server's root,
and certificates are checked."""

import asyncio
import logging
import sys

import pydle

failures = 0


def told(what, seen):
    print(f"  ok  {'pydle':9} {what:44} {seen}", flush=True)


class Paul(pydle.Client):
    """Puts what comes into a list that the checks look through."""

    RECONNECT_DELAYED = False

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.seen = []
        self.came = asyncio.Event()

    def note(self, *what):
        self.seen.append(what)
        self.came.set()

    async def on_raw_cap_ls(self, params):
        # pydle 1.2 requests version 302, where a list has several lines, and reads only the first word of all but the
        # last: without this it takes "*" for the list and ends the negotiation.
        self.listed = f"{getattr(self, 'listed', '')} {params[-1]}"
        if params[0] != "*":
            listed, self.listed = self.listed, ""
            await super().on_raw_cap_ls([listed])

    async def on_capability_draft_chathistory_available(self, value):
        return True

    async def on_capability_draft_event_playback_available(self, value):
        return True

    async def on_capability_batch_available(self, value):
        return True

    async def on_capability_server_time_available(self, value):
        return True

    async def on_capability_echo_message_available(self, value):
        return True

    async def on_connect(self):
        await super().on_connect()
        self.note("connect", self.nickname)

    async def on_join(self, channel, user):
        await super().on_join(channel, user)
        self.note("join", channel, user)

    async def on_raw(self, message):
        self.note("raw", str(message.command), [str(param) for param in message.params], dict(message.tags))
        await super().on_raw(message)

    async def on_message(self, target, by, text):
        await super().on_message(target, by, text)
        self.note("message", target, by, text)

    async def on_user_online(self, nickname):
        self.note("online", nickname)

    async def on_user_offline(self, nickname):
        self.note("offline", nickname)

    async def check(self, what, fits, show=str):
        """Waits for something that fits; the bound is only for what never comes."""
        global failures
        try:
            async with asyncio.timeout(20):
                while not (found := [entry for entry in self.seen if fits(*entry)]):
                    self.came.clear()
                    await self.came.wait()
            told(what, show(found[-1]))
            return found[-1]
        except TimeoutError:
            failures += 1
            print(f"  NO  {'pydle':9} {what}: never came", flush=True)
            return None


def message(text):
    return lambda kind, *rest: kind == "message" and rest[2] == text


def raw(command, wanted=lambda params, tags: True):
    return lambda kind, *rest: kind == "raw" and rest[0] == command and wanted(*rest[1:])


async def main(port):
    paul = Paul("paul", realname="Paul", sasl_username="paul", sasl_password="paul secret", sasl_mechanism="PLAIN")
    await paul.connect("localhost", port, tls=True, tls_verify=True)
    context = paul.connection.tls_context
    await paul.check("SASL PLAIN over verified TLS", lambda kind, *rest: kind == "connect",
                     lambda seen: f"nick {seen[1]}, {context.verify_mode.name}, host name checked: {context.check_hostname}")
    told("capabilities", " ".join(sorted(cap for cap, on in paul._capabilities.items() if on)))
    await paul.join("#lobby")
    await paul.check("join", lambda kind, *rest: kind == "join" and rest[1] == "paul")
    await paul.check("WHOX, which it asks by itself", raw("354"), lambda seen: " ".join(seen[2]))
    await paul.message("#lobby", "hello from pydle")
    await paul.check("echo-message, server-time", raw("PRIVMSG", lambda params, tags: params[1] == "hello from pydle" and "time" in tags),
                     lambda seen: f"{seen[2]} {seen[3]}")
    await paul.check("alice answers", message("hello pydle"))
    await paul.message("echo", "hello")
    await paul.check("a direct message", message("Server received your message: hello"))
    told("WHOIS", await asyncio.wait_for(paul.whois("alice"), 20))
    await paul.monitor("alice")
    await paul.check("MONITOR: online", lambda kind, *rest: kind == "online" and rest[0] == "alice")
    await paul.monitor("ines")
    await paul.check("MONITOR: offline", lambda kind, *rest: kind == "offline" and rest[0] == "ines")
    await paul.rawmsg("CHATHISTORY", "LATEST", "#lobby", "*", "20")
    await paul.check("CHATHISTORY", raw("BATCH", lambda params, tags: params[0].startswith("+") and params[1] == "chathistory"),
                     lambda seen: " ".join(seen[2]))
    await paul.check("CHATHISTORY: a message", raw("PRIVMSG", lambda params, tags: "batch" in tags and params[1] == "hello from pydle"),
                     lambda seen: f"{seen[2]} {seen[3]}")
    paul.seen.clear()
    paul.connection.writer.transport.abort()
    await paul.check("a cut connection: registers again", lambda kind, *rest: kind == "connect")
    await paul.check("its channel comes by itself", lambda kind, *rest: kind == "join" and rest[1] == "paul")
    await paul.message("echo", "again")
    await paul.check("and hears", message("Server received your message: again"))
    await paul.quit("bye")
    return 1 if failures else 0


logging.basicConfig(level=logging.ERROR)
sys.exit(asyncio.run(main(int(sys.argv[1]))))
