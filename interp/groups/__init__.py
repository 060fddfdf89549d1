"""Groups: finite groups by name or by table, and their real irreducible representations."""
