"""Index 766 (decision 766/QĐ-TTg): how well a unit serves people in administrative procedures, in 100 points.

`rules` are the versioned rule sets, which are data; `scoring` is pure; `counts` reads numerators and denominators,
`unit_scores` scores the units of a file, `values` writes scores for programs.
"""
