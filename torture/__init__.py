"""Force against the laws of money: a seeded simulation of whole shops, and real processes that are killed."""
