"""Settings of the web server: python -m gunicorn --config python:app.web_server "app.factory:create_app()"."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
threads = 8
# The supervisor waits five seconds for everybody; requests in hand get four of them.
graceful_timeout = 4
# Newer servers open a socket for remote control in the user's home; nobody asked for it. Older ones ignore this.
control_socket_disable = True
