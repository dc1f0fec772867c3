"""Recipes of the shipped weights; no part of the installed package."""
