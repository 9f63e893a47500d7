"""How a service is measured."""
