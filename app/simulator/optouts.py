"""What Twilio itself does when a phone texts STOP, START or HELP, in its three modes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.simulator.records import Sender
from app.simulator.state import State

Word: TypeAlias = Literal["STOP", "START", "HELP"]

# Twilio's own lists for a number without settings. Only the whole body counts: "STOP PLEASE" blocks nobody.
WORDS: dict[str, Word] = {
    **dict.fromkeys(("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), "STOP"),
    **dict.fromkeys(("start", "yes", "unstop"), "START"),
    **dict.fromkeys(("help", "info"), "HELP"),
}
REPLIES: dict[Word, str] = {
    "STOP": "You are unsubscribed and get no more messages from this number. Reply START to come back.",
    "START": "You are subscribed again. Reply HELP for help, STOP to unsubscribe. Msg&data rates may apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&data rates may apply.",
}


@dataclass(frozen=True, slots=True)
class Handling:
    """What the provider did: `opt_out_type` for the webhook ("" for none), `reply` for the phone ("" for none)."""

    opt_out_type: str = ""
    reply: str = ""


def handle(state: State, sender: Sender, phone: str, body: str) -> Handling:
    """Apply the sender's mode to one inbound text: block or lift, and say what to tell webhook and phone."""
    word = WORDS.get(body.strip().lower())
    if word is None or sender.opt_out_mode == "none":
        return Handling()
    changed = _apply(state, (phone, sender.scope), word)
    if sender.opt_out_mode == "advanced":
        return Handling(word, REPLIES[word])
    # Without Advanced Opt-Out, YES or START from somebody who is not blocked is an ordinary message.
    return Handling(reply="" if word == "START" and not changed else REPLIES[word])


def _apply(state: State, pair: tuple[str, str], word: Word) -> bool:
    """Change the block list; return whether that changed anything."""
    with state.lock:
        blocked = pair in state.opted_out
        if word == "STOP":
            state.opted_out.add(pair)
        elif word == "START":
            state.opted_out.discard(pair)
        return blocked != (pair in state.opted_out)
