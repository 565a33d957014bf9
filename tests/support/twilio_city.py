"""The same newsroom on a number at Twilio, of SMS or WhatsApp: its receipts and webhooks are signed forms."""

from app.clock import utcnow
from app.simulator.records import OptOutMode, Sender
from tests.support.chat_city import ChatCity
from tests.support.world import Newsroom

OURS = "+12025550177"
TEMPLATE = "HX" + "7" * 32
ACCOUNT = {"account_sid": "AC" + "7" * 32, "auth_token": "a-token-of-stories", "from": OURS}


class TwilioCity(ChatCity):
    """`mode`: who answers STOP, as the simulator's senders have it."""

    hook = "http://localhost/hooks/city"

    def __init__(self, newsroom: Newsroom, gateway: str = "twilio", mode: OptOutMode = "none") -> None:
        whatsapp = gateway == "twilio_whatsapp"
        self.number = f"whatsapp:{OURS}" if whatsapp else OURS
        self.mode: OptOutMode = mode
        more = {"content_sid": TEMPLATE} if whatsapp else {}
        super().__init__(newsroom, gateway, OURS, {**ACCOUNT, **more})

    def connect(self) -> None:
        """Tell the simulator about our number."""
        sender = Sender(
            self.number,
            ACCOUNT["account_sid"],
            ACCOUNT["auth_token"],
            self.hook,
            opt_out_mode=self.mode,
            content={TEMPLATE: "City desk: {{1}}"},
        )
        self.world.state.put_sender(sender)

    def says(self, phone: str, text: str) -> None:
        self.newsroom.now = utcnow()  # as the door's clock: a refused answer is later than what it answers
        outcome = self.world.inbound.text(phone, self.number, text)
        assert outcome.webhook_status == 200, outcome
        self.drain()
        self.tell_later()

    def blocks(self, phone: str, blocked: bool = True) -> None:
        self.newsroom.later(seconds=5)
        self.world.block(phone, self.number, blocked)

    def tell_later(self) -> None:
        """Let it post its receipts."""
        self.world.receipts.work_off()
