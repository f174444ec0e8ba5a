"""Mending a border set: every repair is a proposal with its effect and a picture, carried out only when chosen.

`proposing` (`propose`, `apply`), `proposals` (what a proposal is), `covering` (a clean partition by rule), `pieces` (that partition taken apart into single repairs), `outlines`
(upper areas as the sum of their children), `showing` (HTML), `writing` (files).
"""
