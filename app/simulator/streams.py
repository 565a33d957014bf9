"""Makes the servers of the protocols that keep a connection: an SMS centre (SMPP), an XMPP server, a Signal daemon."""

from app.simulator.later import Later
from app.simulator.signal_daemon import SignalDaemon, SignalPost
from app.simulator.smpp_centre import SmppCentre, SmppServer
from app.simulator.world import World
from app.simulator.xmpp_server import XmppPost, XmppServer

StreamServer = SmppServer | XmppServer | SignalDaemon


def smpp_centre(world: World, host: str, port: int, later: Later) -> SmppServer:
    """Return an SMS centre that is not started yet; port 0 takes a free one."""
    centre = SmppCentre(world.chats, world.smpp, later, world.faults, world.stopping)
    return SmppServer(host, port, world.chats, world.smpp, centre)


def xmpp_server(world: World, host: str, port: int, later: Later) -> XmppServer:
    """Return an XMPP server that is not started yet; port 0 takes a free one."""
    post = XmppPost(world.chats, world.xmpp, later, world.faults, world.stopping)
    return XmppServer(host, port, world.chats, world.xmpp, post)


def signal_daemon(world: World, host: str, port: int, later: Later) -> SignalDaemon:
    """Return a daemon of signal-cli that is not started yet; port 0 takes a free one."""
    post = SignalPost(world.chats, world.signal, later, world.faults, world.stopping)
    return SignalDaemon(host, port, world.chats, world.signal, post)
