class WireError(Exception):
    """Input that breaks a rule; `name` is that of the code in spec/registry.md."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name
