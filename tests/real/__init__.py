"""Against servers that users have: Kannel, Prosody. Marked `slow`; a test that cannot run says why."""
