"""What people may ask of us: their data, its erasure, its end after some time, and a record of all processing."""
