"""Settings of the web server: python -m gunicorn --config python:app.web_server "app.factory:create_app()"."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
# Receipts come in bursts; two processes take twice as many a second as one with more threads.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# Loaded once and forked: starting takes half the time. No connection is open before the fork.
preload_app = True
# The supervisor waits five seconds for everybody; requests in hand get four of them.
graceful_timeout = 4
# Newer servers open a socket for remote control in the user's home; nobody asked for it. Older ones ignore this.
control_socket_disable = True
