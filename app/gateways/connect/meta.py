"""Meta's Graph API: a page's subscription, and a WhatsApp number's own address in place of the app's.

Source: developers.facebook.com, "Webhooks for Messenger" and "Webhook overrides" (WhatsApp). The fields of an app are
chosen in its dashboard, for to choose them by API takes the app's own token, which no sender has.
"""

from collections.abc import Mapping
from typing import Final

from app.gateways.connect.talk import Connected, Conversation, answer, bearer, call, check_address
from app.gateways.meta import API, VERSION
from app.gateways.paths import at, items

PAGE_FIELDS: Final = (
    "messages",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_optins",
    "message_echoes",
    "message_deliveries",
)


def talk_of_a_page(settings: Mapping[str, str], base_url: str | None, hook: str) -> Conversation:
    """Subscribe the app to what happens at the page; the app's address is entered once, by hand."""
    url = f"{(base_url or API).rstrip('/')}/{VERSION}/{settings['page_id']}/subscribed_apps"
    access, fields = bearer(settings["token"]), ",".join(PAGE_FIELDS)
    answer((yield call("POST", url, {"subscribed_fields": fields}, access)), "Subscribing to the page")
    found = answer((yield call("GET", url, None, access)), "Asking for the subscription")
    known = {
        at(one, "name") or str(one) for app in items(found, "data") for one in items(app, "subscribed_fields")
    }
    missing = [one for one in PAGE_FIELDS if one not in known]
    by_hand = f"In the app's dashboard, Messenger, Webhooks, enter {hook} and the sender's verify_token."
    if missing:
        return Connected(
            (), (by_hand, f"Meta did not take the fields {', '.join(missing)}: choose them there.")
        )
    return Connected((f"The app hears of {', '.join(PAGE_FIELDS)} at the page.",), (by_hand,))


def talk_of_a_number(settings: Mapping[str, str], base_url: str | None, hook: str) -> Conversation:
    """Give the number an address of its own; Meta calls it with the verify token before it answers."""
    url = f"{(base_url or API).rstrip('/')}/{VERSION}/{settings['phone_number_id']}"
    access = bearer(settings["token"])
    wanted = {"override_callback_uri": hook, "verify_token": settings["verify_token"]}
    answer((yield call("POST", url, {"webhook_configuration": wanted}, access)), "Setting the webhook")
    asked = call("GET", f"{url}?fields=webhook_configuration", None, access)
    found = answer((yield asked), "Asking for the webhook")
    check_address(at(found, "webhook_configuration.phone_number"), hook, "Meta")
    by_hand = (
        "In the app's dashboard, WhatsApp, Configuration, subscribe to the fields messages and user_preferences, "
        "and subscribe the app to the WhatsApp Business Account, if that was not done yet. News of templates and of "
        "the account (message_template_status_update, message_template_quality_update, phone_number_quality_update, "
        f"account_update, account_alerts) goes to the app's own callback address: enter {hook} there, too."
    )
    return Connected(
        (f"Meta called {hook}, was answered, and posts what concerns this number there.",), (by_hand,)
    )
