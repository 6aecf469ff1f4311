"""The zip for the app store is the module: a real Odoo installs what is in it."""

import zipfile

import pytest

from kit.cache import MODULE
from kit.database import base_template, fresh_database, is_installed, run_odoo
from kit.odoo import problems
from kit.package_command import make_package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("package"))


def test_the_zip_holds_one_folder_with_the_module_and_its_driver(package):
    names = zipfile.ZipFile(package).namelist()
    assert {name.split("/")[0] for name in names} == {MODULE}
    for needed in (
        "__manifest__.py",
        "static/description/icon.png",
        "hw_driver/__init__.py",
        "hw_driver/requirements.txt",
        "LICENSE",
    ):
        assert f"{MODULE}/{needed}" in names
    assert not [name for name in names if name.startswith((f"{MODULE}/dev/", f"{MODULE}/tests/driver/"))]


def test_the_same_files_give_the_same_bytes(package, tmp_path):
    assert make_package(tmp_path).read_bytes() == package.read_bytes()


def test_odoo_installs_it(package, workplace, postgres, tmp_path):
    addons = tmp_path / "addons"
    zipfile.ZipFile(package).extractall(addons)
    template = base_template(workplace, postgres)
    with fresh_database(workplace, postgres, "package", template) as database:
        log = run_odoo(workplace, postgres, database, "--init", MODULE, addons=addons)
        assert is_installed(postgres, database)
        assert f"loading {MODULE}/" in log, "Odoo loaded no data file of the module"
        assert not problems(log)
