"""What can be heard in canonical audio (16 kHz, mono, 16 bits): where speech is, and which words."""
