"""Colours and dashes: what tells lines and sides apart.

The colours are those of Okabe and Ito that are seen on white and on black: https://jfly.uni-koeln.de/color/.
"""

UP, DOWN, GREY = "#0072B2", "#D55E00", "#808080"
COLOURS = (UP, "#E69F00", "#009E73", "#CC79A7", DOWN, "#56B4E9", GREY)
DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2), (12, 4), (4, 1), (1, 3))
"""Of the lines, in the same order: who sees no colours has these."""
