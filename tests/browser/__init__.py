"""The product in a real browser: its story, its accessibility, and the pictures of the documentation."""
