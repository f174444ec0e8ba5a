"""Where: geometry, frames of reference, borders and the index that places a point.

A pure library: it imports nothing of ours, no Flask and no database.

`frames` (WGS-84, GCJ-02, BD-09), `borders` (records, `build_index`), `locating` (`Locator`), `reading`
(border files), `inventing` (a made-up city). Inside: `index` (the cells), `files` (hostile input),
`invention`.
"""
