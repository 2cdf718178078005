"""Say which of the batteries are programs: `python -m stormy_demo.batteries`."""

import ast
from pathlib import Path

print("Programs, each of which says with --help what it takes:\n")
for path in sorted(Path(__file__).parent.glob("*.py")):
    source = path.read_text("utf-8")
    if '\nif __name__ == "__main__":\n' in source:
        about = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        print(f"python -m {__package__}.{path.stem}\n    {about}")
