"""How scenarios are found and made small."""
