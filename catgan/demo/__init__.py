"""`catgan demo`: an album of photos drawn by catgan itself, for those who have none at hand.

Faces come from the base model, everything else is drawn by code. No photo of anybody's is in it.
"""
