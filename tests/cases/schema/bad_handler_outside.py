# test schema
# The handler may be in a base that comes from a package, and no package is looked into.

import lib3


class Runner(lib3.Base):
    def setup(self): ...
