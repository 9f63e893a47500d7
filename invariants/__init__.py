"""The first floor: laws. One promise a file; imports models only."""
