"""Where services run. Each runtime declares what it can do by the protocols it meets."""
