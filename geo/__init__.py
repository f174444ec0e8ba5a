"""Where: geometry, frames of reference, borders and the index that places a point.

A pure library: it imports nothing of ours, no Flask and no database. `docs/geo.md` explains the index.

`frames` and `zones` (WGS-84, GCJ-02, BD-09, CGCS2000), `borders` (records, `build_index`), `locating`
(`Locator`, `Placed`), `reading` (border files), `simplifying` (copies for maps), `inventing` (a made-up city).
Inside: `index` (the cells), `answers` (what they mean, and doubt), `files` (hostile input), `review` (check,
repair, diff, report), `invention`.
"""
