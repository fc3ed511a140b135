"""Coin tosses."""
