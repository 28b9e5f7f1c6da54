"""The servers measured, one small program each; every one prints its port and obeys ticks on stdin.

They refuse to be clever: each sends the payload as its library's documentation says a broadcast is done.
"""
