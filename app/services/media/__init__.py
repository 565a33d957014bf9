"""Files that go with broadcasts: taken in, kept, lent out by signed links, handed to lanes, and let go."""
