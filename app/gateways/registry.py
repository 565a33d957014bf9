"""Which gateways there are: name -> class. A new gateway is one file, one test file and one line here."""

from collections.abc import Mapping

from app.gateways.base import BadSetting, Gateway, GatewayClass
from app.gateways.http_sms import OwnHttpSmsGateway, gateway_classes
from app.gateways.inapp import InAppGateway
from app.gateways.line import LineGateway
from app.gateways.matrix import MatrixGateway
from app.gateways.messenger import MessengerGateway
from app.gateways.signal import SignalGateway
from app.gateways.smpp import SmppGateway
from app.gateways.telegram import TelegramGateway
from app.gateways.twilio import TwilioGateway
from app.gateways.twilio_whatsapp import TwilioWhatsAppGateway
from app.gateways.viber import ViberGateway
from app.gateways.webpush import WebPushGateway
from app.gateways.wechat import WeChatGateway, WeChatSubscriptionGateway
from app.gateways.whatsapp import WhatsAppGateway
from app.gateways.xmpp import XmppGateway

GATEWAYS: dict[str, GatewayClass] = {
    **gateway_classes(),
    InAppGateway.name: InAppGateway,
    LineGateway.name: LineGateway,
    MatrixGateway.name: MatrixGateway,
    OwnHttpSmsGateway.name: OwnHttpSmsGateway,
    MessengerGateway.name: MessengerGateway,
    SignalGateway.name: SignalGateway,
    SmppGateway.name: SmppGateway,
    TelegramGateway.name: TelegramGateway,
    TwilioGateway.name: TwilioGateway,
    TwilioWhatsAppGateway.name: TwilioWhatsAppGateway,
    ViberGateway.name: ViberGateway,
    WeChatGateway.name: WeChatGateway,
    WeChatSubscriptionGateway.name: WeChatSubscriptionGateway,
    WebPushGateway.name: WebPushGateway,
    WhatsAppGateway.name: WhatsAppGateway,
    XmppGateway.name: XmppGateway,
}


def gateway_class(name: str) -> GatewayClass:
    """Return a gateway's class; raises `BadSetting` naming those there are."""
    if name not in GATEWAYS:
        raise BadSetting(f"There is no gateway {name!r}. There are: {', '.join(sorted(GATEWAYS))}.")
    return GATEWAYS[name]


def build(name: str, settings: Mapping[str, str], base_url: str | None) -> Gateway:
    """Return a gateway bound to one sender's settings."""
    return gateway_class(name)(settings, base_url)
