"""Virtual terminals: they speak the real bytes on a real port, fail on demand, and write down what they charged."""
