"""The source distribution's lock file, and what the checks of wheels refuse."""

from __future__ import annotations

import tempfile
import unittest
import zipfile
from pathlib import Path

from packages.common import run, version
from packages.python import check, sdist


class SdistTest(unittest.TestCase):
    def test_the_lock_file_fits_what_is_in_it(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            built = sdist.build(Path(out))
            # As the build has done; here it is the subject.
            sdist.check(built)

    def test_the_lock_file_that_maturin_copies_is_refused(self) -> None:
        """If this fails, maturin has learned to do it, and sdist.py can go."""
        with tempfile.TemporaryDirectory() as out:
            run("maturin", "sdist", "--out", out)
            (plain,) = Path(out).glob("*.tar.gz")
            with self.assertRaises(SystemExit):
                sdist.check(plain)


class PytestPortallocTest(unittest.TestCase):
    def refused(self, **files: str) -> str:
        """What is wrong with a wheel that has these files beside its metadata."""
        information = f"pytest_portalloc-{version()}.dist-info"
        metadata = f"Metadata-Version: 2.4\nName: pytest-portalloc\nRequires-Dist: portalloc[pytest]=={version()}\n"
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, "pytest_portalloc.whl")
            with zipfile.ZipFile(path, "w") as archive:
                for name, text in {f"{information}/METADATA": metadata, **files}.items():
                    archive.writestr(name.replace("INFORMATION", information), text)
            try:
                check.pytest_portalloc(path)
            except SystemExit as reason:
                return str(reason.code)
        return ""

    def test_a_package_without_code_is_right(self) -> None:
        assert self.refused() == ""

    def test_code_is_refused(self) -> None:
        assert "files of its own: ['plugin.py']" in self.refused(**{"plugin.py": ""})

    def test_a_second_entry_point_is_refused(self) -> None:
        points = {"INFORMATION/entry_points.txt": "[pytest11]\nportalloc = portalloc_pytest\n"}
        assert "load the plugin twice" in self.refused(**points)

    def test_another_version_of_portalloc_is_refused(self) -> None:
        metadata = {"INFORMATION/METADATA": "Name: pytest-portalloc\nRequires-Dist: portalloc[pytest]>=0\n"}
        assert "needs ['portalloc[pytest]>=0']" in self.refused(**metadata)


if __name__ == "__main__":
    unittest.main()
