"""Makes the simulator's Flask app from a world."""

from flask import Blueprint, Flask, Response

from app.simulator.connect_api import ConnectApi
from app.simulator.control import ControlApi
from app.simulator.later import Later, Soon
from app.simulator.line_api import LineApi
from app.simulator.line_followers import LineFollowers
from app.simulator.looks import shown
from app.simulator.matrix_api import MatrixApi
from app.simulator.messenger_api import MessengerApi
from app.simulator.meta_api import GraphApi
from app.simulator.misbehaviour import Misbehaviour
from app.simulator.phones import PhonesPage
from app.simulator.push_api import PushApi
from app.simulator.sms_api import SmsApi
from app.simulator.telegram_api import TelegramApi
from app.simulator.twilio_api import TwilioApi
from app.simulator.twilio_connect import TwilioConnectApi
from app.simulator.twilio_hygiene import HygieneApi
from app.simulator.twilio_send import SendMessages
from app.simulator.viber_api import ViberApi
from app.simulator.wechat_api import WeChatApi
from app.simulator.whatsapp_api import WhatsAppApi
from app.simulator.world import World

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # not no-referrer: browsers then send `Origin: null` with our own forms
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app(world: World, desk_url: str = "", later: Later | None = None) -> Flask:
    """Return the app: the APIs of the providers, the control API, the phones page and `/health`.

    `later` runs what messengers tell after their answer; by default a second later.
    """
    app = Flask(__name__)
    app.jinja_env.filters["runs"] = shown
    for routes in _messengers(world, later or Soon(1.0)):
        app.register_blueprint(routes)
    app.register_blueprint(TwilioApi(world).blueprint())
    app.register_blueprint(HygieneApi(world).blueprint())
    app.register_blueprint(TwilioConnectApi(world).blueprint())
    app.register_blueprint(ControlApi(world).blueprint())
    app.register_blueprint(PhonesPage(world, desk_url).blueprint())
    app.add_url_rule("/health", "health", lambda: Response("ok\n", mimetype="text/plain"))
    app.after_request(_add_headers)
    app.wsgi_app = SendMessages(world, Misbehaviour(world, app.wsgi_app))  # type: ignore[method-assign]  # Flask's own way to wrap it
    return app


def _messengers(world: World, later: Later) -> list[Blueprint]:
    chats, clock = world.chats, world.clock
    shelf = world.shelf
    meta = (
        WhatsAppApi(chats, world.whatsapp, later, shelf, clock),
        MessengerApi(chats, world.messenger, later, shelf),
    )
    apis = (
        TelegramApi(chats, shelf),
        GraphApi(chats, meta, shelf),
        LineApi(chats, world.line, shelf, clock),
        LineFollowers(chats, world.line),
        ViberApi(chats, world.viber, later, shelf, clock),
        MatrixApi(chats, world.matrix, shelf),
        WeChatApi(chats, world.wechat, clock, later),
        PushApi(chats, world.push, later, shelf),
        SmsApi(chats, later),
        ConnectApi(chats, world.wire, world.viber),
    )
    return [api.blueprint() for api in apis]


def _add_headers(response: Response) -> Response:
    if response.mimetype != "application/json":  # what programs read needs none of them, and is the busy path
        response.headers.update(HEADERS)
    return response
