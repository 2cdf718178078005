"""The shapes in which results are kept, as rows of one shape: that of the common runner.

`clients` and `chat` are older than that runner, and keep a ratio beside its figure, as in
`cpu_us`, `cpu_ratio`, `cpu_ratio_lowest` and `cpu_ratio_highest`.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
# The ratio of each figure that has one, in those results.
RATIOS = {"cpu_us": ("cpu_ratio", "ratio"), "rps": ("rps_ratio",)}
FIGURES = ("cpu_us", "rps", "p50_ms", "p99_ms", "rss_mb", "lost", "bytes")


def rows_of(data: Row) -> list[Row]:
    """Return the rows of a result, each with `group`, `mode` and figures that have a `median`.

    Args:
        data: the content of its file.

    Returns:
        Them; none where it has no rows that can be compared.
    """
    rows = data["results"]
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "mode" in r for r in rows):
        return []
    if any(isinstance(value, dict) for row in rows for value in row.values()):
        return rows
    if not all("cpu_us" in row or "refused" in row or "left_out" in row for row in rows):
        return rows
    idle = [_row(row, "people who only listen") for row in data.get("idle", [])]
    return [_row(row, _group(row)) for row in rows] + idle


def _group(row: Row) -> str:
    if "latency_ms" in row:
        kind = f", {row['kind']}" if "kind" in row else ""
        return f"{row['latency_ms']} ms away, {row['concurrency']} at once{kind}"
    return "people who talk"


def _row(row: Row, group: str) -> Row:
    told: Row = {"group": group, "mode": row["mode"]}
    if row.get("error"):
        return {**told, "refused": row["error"]}
    for figure in FIGURES:
        if row.get(figure) is None:
            continue
        told[figure] = {"median": row[figure]}
        for name in RATIOS.get(figure, ()):
            if row.get(name) is not None:
                told[figure] |= {
                    "ratio": row[name],
                    "lowest": row[f"{name}_lowest"],
                    "highest": row[f"{name}_highest"],
                }
    return told
