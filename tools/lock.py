"""Write the locked, hashed dependency sets under requirements/ for every supported Python and platform."""

import subprocess
import sys
from pathlib import Path

SETS = {
    "core.lock": [],
    "lab.lock": ["--extra", "lab"],
    "dev.lock": ["--extra", "lab", "--group", "dev"],
}


def main() -> None:
    for name, selection in SETS.items():
        subprocess.run(
            [
                *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal"),
                *("--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
                *("--no-header", "--output-file", str(Path("requirements") / name), *selection, *sys.argv[1:]),
            ],
            check=True,
        )


if __name__ == "__main__":
    main()
