"""Who sends requests while a scenario plays."""
