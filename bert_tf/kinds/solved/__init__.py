"""Heads that are solved for on a backbone that stays as it is: what kinds share."""
