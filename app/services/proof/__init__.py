"""A proof of consent in words: the phrases of each language, and the page that can be printed."""
