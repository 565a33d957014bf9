"""Fake providers behind their real wire protocols, and phones on a web page to watch them with."""
