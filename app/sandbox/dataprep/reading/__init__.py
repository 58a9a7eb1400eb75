"""A second reading of Data Prep's reference (platform.md section 4): the default set's subset.

Our mapper cannot check itself: so the sandbox's `preview` is made by this, which shares no code
with it, wherever a set has nothing beyond it.
"""
