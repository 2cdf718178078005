"""What claims are measured with: `python -m benchmarks.NAME`, or `workshop.py bench NAME`."""

from __future__ import annotations
