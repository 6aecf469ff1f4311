"""Files that other accounting programs read: FEC-shaped entries and DATEV postings. Written from plain values."""
