"""House rules that no linter knows. A new rule is better added here than to a page nobody reads."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trailstate"

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
FILE_BYTES_MAX = 600_000
RAW_TIME = re.compile(r"\btime\.(time|monotonic|sleep|perf_counter)\(|datetime\.now\(|utcnow\(|\buuid4\(|os\.urandom\(")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home/\w+|Users/\w+)/")
REGISTRY_HOST = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org)\b")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the tracked files are not known")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_modules_are_named_for_their_subject() -> None:
    assert [str(path) for path in modules() if path.stem in VAGUE_NAMES] == []


def test_every_module_says_first_what_it_makes_true() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_time_ids_and_randomness_come_from_world_alone() -> None:
    """The linter bans the imports; this catches a call through a module that was imported for something else."""
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in modules()
        if path.name != "world.py" and "estate/child" not in path.as_posix()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if RAW_TIME.search(line) and not line.lstrip().startswith(("#", '"', "'"))
    ]
    assert guilty == []


def test_nobody_swallows_everything_but_the_gateway_and_the_followers() -> None:
    allowed = {"gateway/application.py", "follow/", "estate/child", "functions/child"}
    guilty = []
    for path in modules():
        place = path.relative_to(SOURCE).as_posix()
        if any(place.startswith(each) for each in allowed):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
                caught = "BaseException" if node.type is None else ast.unparse(node.type)
                if caught in {"Exception", "BaseException"}:
                    guilty.append(f"{place}:{node.lineno}")
    assert guilty == []


def test_no_file_is_a_blob() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > FILE_BYTES_MAX] == []


def test_nothing_names_a_machine_or_a_registry() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in tracked()
        if path.name not in {"test_tidy.py", "LICENSE"}
        for found in [MACHINE_PATH.search(text_of(path)) or REGISTRY_HOST.search(text_of(path))]
        if found
    ]
    assert guilty == []


def test_every_locked_dependency_carries_a_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        pins = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", lock.read_text(), re.MULTILINE | re.DOTALL)
        assert len(pins) > 5, lock.name
        assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == [], lock.name


def test_direct_dependencies_stay_few() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert block is not None
    assert block.group(1).count('"') // 2 <= 25


def test_every_test_can_fail() -> None:
    """A test function asserts, raises, or calls something whose name says that it checks."""
    checking = re.compile(r"(raises|assert|expect|check|verify|fail)", re.IGNORECASE)
    toothless = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                calls = (ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call))
                asserts = any(isinstance(each, ast.Assert) for each in ast.walk(node))
                if not asserts and not any(checking.search(call) for call in calls):
                    toothless.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert toothless == []
