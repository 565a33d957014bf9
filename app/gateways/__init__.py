"""Pure translators between our messages and providers' wire protocols; the transport does the I/O for all of them."""
