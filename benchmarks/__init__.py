"""What claims are measured with: `python -m benchmarks.NAME`, or `workshop.py bench NAME`.

`NAME.py` is a benchmark, `_NAME` is what belongs to that one alone, and `_shared` is what
belongs to all. What they measure is kept in `results/NAME.json`.
"""

from __future__ import annotations
