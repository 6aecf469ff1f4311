"""The driver as something that is installed, kept running, replaced by a newer one, and put back."""
