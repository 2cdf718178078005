"""The other ends: what a battery is shown against, real and on this machine."""
