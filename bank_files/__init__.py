"""Bank and acquirer files, read: CAMT.053 and .054, CFONB 120, OFX, CSV by a mapping. `reader.read` is the way in."""
