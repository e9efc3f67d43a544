# test schema
# The target is a value.

Runner = 1 + 1
