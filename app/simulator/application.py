"""Makes the simulator's Flask app from a world."""

from flask import Flask, Response

from app.simulator.control import ControlApi
from app.simulator.matrix_api import MatrixApi
from app.simulator.phones import PhonesPage
from app.simulator.telegram_api import TelegramApi
from app.simulator.twilio_api import TwilioApi
from app.simulator.twilio_send import SendMessages
from app.simulator.wechat_api import Later, WeChatApi, in_a_second
from app.simulator.world import World

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # not no-referrer: browsers then send `Origin: null` with our own forms
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app(world: World, desk_url: str = "", later: Later = in_a_second) -> Flask:
    """Return the app: the APIs of the providers, the control API, the phones page and `/health`."""
    app = Flask(__name__)
    app.register_blueprint(TwilioApi(world).blueprint())
    app.register_blueprint(TelegramApi(world.chats).blueprint())
    app.register_blueprint(MatrixApi(world.chats, world.matrix).blueprint())
    app.register_blueprint(WeChatApi(world.chats, world.wechat, world.clock, later).blueprint())
    app.register_blueprint(ControlApi(world).blueprint())
    app.register_blueprint(PhonesPage(world, desk_url).blueprint())
    app.add_url_rule("/health", "health", lambda: Response("ok\n", mimetype="text/plain"))
    app.after_request(_add_headers)
    app.wsgi_app = SendMessages(world, app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to wrap it
    return app


def _add_headers(response: Response) -> Response:
    if response.mimetype != "application/json":  # what programs read needs none of them, and is the busy path
        response.headers.update(HEADERS)
    return response
