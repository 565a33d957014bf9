"""What people see on the web who have no account: the sign-up pages of each list, and the link that confirms."""

from flask import Blueprint, Flask

from app.domain.addresses import spaced
from app.public.confirm import confirm
from app.public.inbox import inbox
from app.public.join import join
from app.public.media import media
from app.public.push import push
from app.public.security import init_security
from app.public.short_links import short_links

ROOMS = (join, confirm, push, inbox, media, short_links)


def init_app(app: Flask) -> None:
    """Open these pages in `app`. The desk comes first: it says where form tokens and counters are kept."""
    init_security(app)
    frame = Blueprint(
        "public",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/public-static",
    )
    frame.add_app_template_filter(spaced)
    app.register_blueprint(frame)
    for room in ROOMS:
        app.register_blueprint(room)
