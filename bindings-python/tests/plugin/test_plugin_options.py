"""The options in every form in which pytest reads its configuration, and what is no value for them.

With the pytest of these tests. `test_plugin_pytests` has some of it with others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugin_support import Inner

TELLS = """
def test_tells(_portalloc, record):
    record(pool=_portalloc.pool, exclude=_portalloc.exclude, leak=_portalloc.leak, wait=_portalloc.wait,
           asyncio=_portalloc.asyncio_fixtures)
"""

NONE = {"pool": None, "exclude": None, "leak": "warn", "wait": 0, "asyncio": False}

INI = """
portalloc_pool = 20000-20999,21500
portalloc_exclude = 20017
portalloc_leak = error
portalloc_timeout = 30
portalloc_asyncio_fixtures = true
"""

# As people wrote it for versions before pytest 9, which makes strings of it.
QUOTED = """
portalloc_pool = "20000-20999,21500"
portalloc_exclude = "20017"
portalloc_leak = "error"
portalloc_timeout = "30"
portalloc_asyncio_fixtures = true
"""

NATIVE = """
portalloc_pool = "20000-20999,21500"
portalloc_exclude = 20017
portalloc_leak = "error"
portalloc_timeout = 30
portalloc_asyncio_fixtures = true
"""

MEANT = {"pool": "20000-20999,21500", "exclude": "20017", "leak": "error", "wait": 30, "asyncio": True}

FILES = {
    "pytest.ini": ("pytest.ini", f"[pytest]{INI}"),
    "ini_options, quoted": ("pyproject.toml", f"[tool.pytest.ini_options]{QUOTED}"),
    "ini_options": ("pyproject.toml", f"[tool.pytest.ini_options]{NATIVE}"),
    "pyproject.toml, quoted": ("pyproject.toml", f"[tool.pytest]{QUOTED}"),
    "pyproject.toml": ("pyproject.toml", f"[tool.pytest]{NATIVE}"),
    "pytest.toml": ("pytest.toml", f"[pytest]{NATIVE}"),
}


def told(inner: Inner, *arguments: str) -> dict[str, object]:
    inner.suite(TELLS)
    inner.run("-Werror", *arguments).assert_outcomes(passed=1)
    return {name: value for name, value in inner.records()[-1].items() if name != "pid"}


@pytest.mark.parametrize("form", FILES)
def test_every_form_of_a_configuration_means_the_same(inner: Inner, form: str) -> None:
    name, text = FILES[form]
    (inner.path / name).write_text(text)
    assert told(inner) == MEANT
    assert told(inner, "-oportalloc_timeout=7.5", "-oportalloc_exclude=20001") == {
        **MEANT,
        "exclude": "20001",
        "wait": 7.5,
    }


def test_a_file_of_another_name_may_be_named(inner: Inner) -> None:
    (inner.path / "other.toml").write_text(f"[tool.pytest]{NATIVE}")
    assert told(inner, "-cother.toml", "--rootdir=.") == MEANT


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("portalloc_exclude = [20017, '20100-20109']", {"exclude": "20017,20100-20109"}),
        ("portalloc_exclude = []", {}),
        ("portalloc_pool = ['20000-20999', 21500]", {"pool": "20000-20999,21500"}),
        ("portalloc_timeout = 0.5", {"wait": 0.5}),
        ("portalloc_timeout = ''", {}),
    ],
)
def test_what_toml_can_say(inner: Inner, line: str, meant: dict[str, object]) -> None:
    (inner.path / "pytest.toml").write_text(f"[pytest]\n{line}\n")
    assert told(inner) == {**NONE, **meant}


WRONG_INI = [
    ("portalloc_leak", "loud"),
    ("portalloc_timeout", "soon"),
    ("portalloc_timeout", "-1"),
    ("portalloc_timeout", "inf"),
    ("portalloc_timeout", "nan"),
    ("portalloc_asyncio_fixtures", "perhaps"),
]

WRONG_TOML = [
    *((name, f"'{value}'") for name, value in WRONG_INI),
    ("portalloc_leak", "3"),
    ("portalloc_timeout", "-1"),
    ("portalloc_timeout", "inf"),
    ("portalloc_timeout", "nan"),
    ("portalloc_timeout", "[3]"),
    ("portalloc_timeout", f"1{'0' * 400}"),
    ("portalloc_exclude", "3.5"),
    ("portalloc_exclude", "{a = 3}"),
    ("portalloc_exclude", "[[3]]"),
    ("portalloc_pool", "[20000, 3.5]"),
    ("portalloc_asyncio_fixtures", "1"),
]
#: In every form a boolean is no number, though Python has it that way.
WRONG_TOML += [
    (name, "true") for name in ("portalloc_leak", "portalloc_timeout", "portalloc_exclude", "portalloc_pool")
]


def refused(inner: Inner, name: str, value: str, *arguments: str) -> None:
    inner.suite("def test_nothing(): pass")
    result = inner.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0].startswith(f"ERROR: {name}: ")
    assert value.strip("'").replace("true", "True").replace("a = ", "'a': ") in result.errlines[0]
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize(("name", "value"), WRONG_INI)
def test_a_wrong_ini_line_is_a_usage_error(inner: Inner, name: str, value: str) -> None:
    inner.pytester.makeini(f"[pytest]\n{name} = {value}")
    refused(inner, name, value)


@pytest.mark.parametrize(("name", "value"), WRONG_TOML)
def test_a_wrong_value_in_toml_is_a_usage_error(inner: Inner, name: str, value: str) -> None:
    (inner.path / "pytest.toml").write_text(f"[pytest]\n{name} = {value}\n")
    refused(inner, name, value)


def test_a_wrong_override_is_not_taken_for_what_it_overrides(inner: Inner) -> None:
    (inner.path / "pytest.toml").write_text("[pytest]\nportalloc_timeout = 30\n")
    refused(inner, "portalloc_timeout", "soon", "-oportalloc_timeout=soon")
