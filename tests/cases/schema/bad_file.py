# test schema
# The file of the model is not there.
--- other.py
x = 1
