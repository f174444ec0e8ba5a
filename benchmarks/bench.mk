# One target per benchmark; each adds itself to BENCHMARKS.
BENCHMARKS += bench-geo
.PHONY: bench-geo
bench-geo: bench-tools ## place points: ours against Shapely, GeoPandas, PostGIS and DuckDB
	$(BIN)/python -m benchmarks.geo

.PHONY: bench-tools
bench-tools: tools
	$(BIN)/uv pip install --python $(BIN)/python -q -c requirements-dev.lock "duckdb==1.5.5" "duckdb-extension-spatial==1.5.5"

BENCHMARKS += bench-burden
.PHONY: bench-burden
bench-burden: tools ## what a report costs the person: taps, characters, seconds, bytes, axe
	$(BIN)/python -m benchmarks.phone

.PHONY: pictures
pictures: tools ## every page of the phone at three widths and in large type, into docs/screenshots/phone
	$(BIN)/python -m benchmarks.phone.pictures
