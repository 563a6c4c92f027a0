"""Everything that leaves the house: plain values in and out, one package for each outside party.

Nothing here imports models, blueprints or settings; the portal hands over addresses, folders, keys and times.
"""
