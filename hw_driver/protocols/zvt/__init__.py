"""ZVT, the protocol of card terminals in Germany, Austria and Switzerland."""
