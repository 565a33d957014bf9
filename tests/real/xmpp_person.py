"""Somebody with an XMPP client (slixmpp), in a process of their own: commands in, one JSON line out for all they see.

python xmpp_person.py ADDRESS PASSWORD PORT     commands: subscribe X, unsubscribe X, block X, say X WORDS
"""

import asyncio
import json
import sys

from slixmpp import ClientXMPP


class Person(ClientXMPP):
    """Signs in, tells everything, confirms what it gets (XEP-0184)."""

    def __init__(self, address: str, password: str) -> None:
        super().__init__(address, password)
        self.enable_plaintext = True
        self["feature_mechanisms"].unencrypted_plain = True
        self["feature_mechanisms"].unencrypted_scram = True
        self.auto_authorize = self.auto_subscribe = False
        self.register_plugin("xep_0184")
        self.register_plugin("xep_0191")
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler("message", lambda seen: tell("message", seen["from"].bare, seen["body"]))
        for kind in ("subscribed", "unsubscribed"):
            self.add_event_handler(f"presence_{kind}", lambda seen: tell(seen["type"], seen["from"].bare, ""))

    async def begin(self, _: object) -> None:
        self.send_presence()
        await self.get_roster()
        tell("online", "", "")
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await self.do(*line.strip().split(" ", 2))
        self.disconnect()

    async def do(self, command: str, address: str, words: str = "") -> None:
        if command in ("subscribe", "unsubscribe"):
            self.send_presence(pto=address, ptype=command)
        elif command == "block":
            await self["xep_0191"].block(address)
        else:
            self.send_message(mto=address, mbody=words, mtype="chat")


def tell(what: str, address: str, words: str) -> None:
    print(json.dumps([what, address, words]), flush=True)  # noqa: T201


async def main() -> None:
    address, password, port = sys.argv[1:]
    person = Person(address, password)
    person.connect("127.0.0.1", int(port))
    await person.disconnected


if __name__ == "__main__":
    asyncio.run(main())
