"""Against servers that users have: Kannel, Prosody, Synapse. Marked `slow`; a test that cannot run says why."""
