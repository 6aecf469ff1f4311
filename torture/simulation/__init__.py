"""A shop in virtual time: the driver's real code between simulated terminals, tills, people and Odoo.

run.py        the option --sales: histories over the cores, counts
shop.py       one history: makes the parts, lets them go at each other, mends everything, hands over what is left
clockwork.py  an event loop whose clock jumps
wire.py       the network: split, delayed, cut, reset, half open, corrupted
terminals.py  virtual terminals, and how each protocol joins (a table)
process.py    the driver as a process that can die at any boundary
disk.py       where its journal lies: memory, with writes that fail
odoo.py       what Odoo keeps: an independent model
people.py     tills, and who stands at them
trouble.py    how often what goes wrong
"""
