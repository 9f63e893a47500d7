"""Advice that a compose file alone allows, before anything is started."""
