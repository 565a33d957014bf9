"""Joins the parts of one simulated provider: state, phones, faults, and the threads that report."""

import secrets
from collections.abc import Callable
from datetime import datetime
from threading import Event, Semaphore

from app.clock import utcnow
from app.domain.parts import measure
from app.simulator.callbacks import Receipts
from app.simulator.chats import Chats
from app.simulator.conversations import Conversations
from app.simulator.inbound import Inbound
from app.simulator.limits import FaultPlan, TokenBuckets
from app.simulator.line_messenger import LineMessenger
from app.simulator.magic import HANDSET_BLOCKS, Magic, MagicNumbers
from app.simulator.matrix_api import MatrixMessenger
from app.simulator.messenger_api import FacebookMessenger
from app.simulator.messengers import Messenger
from app.simulator.push_api import PushMessenger
from app.simulator.records import Message
from app.simulator.shelf import Shelf
from app.simulator.signal_daemon import SignalMessenger
from app.simulator.smpp_centre import SmppMessenger
from app.simulator.sms_api import SmsMessenger
from app.simulator.sms_providers import providers
from app.simulator.state import State
from app.simulator.telegram_api import TelegramMessenger
from app.simulator.twilio_whatsapp import BLOCKS
from app.simulator.viber_api import ViberMessenger
from app.simulator.wechat_messenger import WeChatMessenger
from app.simulator.whatsapp_api import WhatsAppMessenger
from app.simulator.wire import Wire
from app.simulator.xmpp_server import XmppMessenger

HELD_AT_ONCE = 64


class World:
    """One simulated provider. `start()` before use, `stop()` after it.

    `run` differs from process to process. `remember` is called after changes that a restart should keep.

    `pauses` are the seconds before the first receipt of a message and before each later one. `stopping` is set when
    the process ends, so that connections which are held without an answer let go.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utcnow,
        pauses: tuple[float, float] = (0.05, 0.3),
        held_at_once: int = HELD_AT_ONCE,
    ) -> None:
        self.clock = clock
        self.state = State()
        self.conversations = Conversations(clock)
        self.magic = MagicNumbers()
        self.buckets = TokenBuckets()
        self.faults = FaultPlan()
        self.wire = Wire()
        self.shelf = Shelf(self.wire.fetch)
        self.inbound = Inbound(self.state, self.conversations, self.wire, clock)
        self.wechat, self.matrix, self.line = (
            WeChatMessenger(clock),
            MatrixMessenger(clock),
            LineMessenger(clock),
        )
        self.whatsapp, self.messenger = WhatsAppMessenger(clock), FacebookMessenger(clock)
        self.viber, telegram = ViberMessenger(clock), TelegramMessenger(clock)
        self.push = PushMessenger(self.wire)
        self.smpp, self.xmpp, self.signal = SmppMessenger(), XmppMessenger(), SignalMessenger(clock)
        all_of_them: tuple[Messenger, ...] = (
            telegram,
            self.whatsapp,
            self.line,
            self.viber,
            self.messenger,
            self.matrix,
            self.wechat,
            self.push,
            self.smpp,
            self.xmpp,
            self.signal,
            *(SmsMessenger(one) for one in providers().values()),
        )
        messengers = {one.channel: one for one in all_of_them}
        self.chats = Chats(self.conversations, self.wire, messengers, clock)
        self.receipts = Receipts(self.wire, self._step, pauses)
        self.remember: Callable[[], object] = lambda: None
        self.run = secrets.token_hex(4)
        self.stopping = Event()
        self.held = Semaphore(held_at_once)

    def start(self) -> None:
        """Start the threads that post receipts."""
        self.receipts.start()

    def stop(self) -> int:
        """Let go of held connections, stop reporting; return how many messages still had receipts to come."""
        self.stopping.set()
        left = self.receipts.stop()
        self.wire.close()
        return left

    def reset(self) -> None:
        """Begin anew with the same senders."""
        self.receipts.reset()
        self.state.reset()
        self.conversations.reset()
        self.magic.reset()
        self.buckets.reset()
        self.inbound.reset()
        self.chats.reset()
        self.wechat.windows.reset()
        self.remember()

    def block(self, phone: str, sender: str, blocked: bool) -> None:
        """Block `sender` on the handset `phone`, or lift the block."""
        with self.state.lock:
            change = self.state.handset_blocks.add if blocked else self.state.handset_blocks.discard
            change((phone, sender))
        self.remember()

    def send_off(self, message: Message, magic: Magic) -> None:
        """Begin the journey of an accepted message to its phone."""
        steps = magic.receipts
        if (message.phone, message.sender.number) in self.state.handset_blocks:
            steps = BLOCKS if message.sender.channel == "whatsapp" else HANDSET_BLOCKS
        self.receipts.add(message, steps)

    def _step(self, message: Message, status: str, error_code: int | None) -> None:
        if not self.state.advance(message, status, error_code, self.clock()):
            return
        if status == "delivered":
            parts = measure(message.body).count
            self.conversations.add(
                message.phone,
                "in",
                message.sender.number,
                message.body,
                parts,
                channel=message.sender.channel,
                medium=message.file,
            )
