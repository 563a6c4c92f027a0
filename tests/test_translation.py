"""The pages in English: a catalogue that compiles, whole sentences, and the switch between the two languages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.test_registration import ADMINISTRATOR, COMPANY, PNG

CATALOGUE = Path(__file__).parents[1] / "translations/en/LC_MESSAGES/messages.po"
CHARACTERS = re.compile(r"[\u3400-\u9fff]")
PUNCTUATION = re.compile(r"[\u3000-\u303f\uff00-\uffef]")
NAMED = re.compile(r"\([\u3400-\u9fff]+\)|\b(?:write) 无")  # a paper by its Chinese name, a word to type
# Labels of choices are shown as they are (blueprints/common/fields.py); take a line away when it is translated.
LABELS = ("请选择", "我已阅读服务条款和免责声明，同意", "身份证", "护照", "其他")


@pytest.fixture(scope="session")
def catalogue():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


@pytest.fixture
def english(catalogue, browser, tmp_path):
    """A browser whose pages are English; the catalogue is compiled as `make` does, if somebody changed it since."""
    compiled = CATALOGUE.with_suffix(".mo")
    if not compiled.exists() or compiled.stat().st_mtime < CATALOGUE.stat().st_mtime:
        with (tmp_path / "messages.mo").open("wb") as file:
            write_mo(file, catalogue)
        compiled.write_bytes((tmp_path / "messages.mo").read_bytes())
    return browser.open("/frame/language/en")


def texts_of(data) -> Iterator[str]:
    """Every text of a region file."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for part in data.values() if isinstance(data, dict) else data:
            yield from texts_of(part)


def chinese_on(browser, *typed) -> list[str]:
    """What a page in English still says in Chinese: not its content, the region's data, labels or what was typed."""
    for node in browser.soup.body.select('[lang="zh-CN"]'):
        node.extract()
    region = browser.client.application.config["REGION"].data
    known = sorted({*texts_of(region), *LABELS, *typed}, key=len, reverse=True)
    shown = list(browser.soup.stripped_strings)
    attributes = ("aria-label", "placeholder", "alt", "data-label", "title")
    shown += [node[name] for node in browser.soup.find_all(True) for name in attributes if node.has_attr(name)]
    for text in known:
        shown = [line.replace(text, "") for line in shown]
    return [line for line in shown if CHARACTERS.search(NAMED.sub("", line))]


def test_the_catalogue_compiles(catalogue):
    """Without its header (`pybabel update --omit-header` takes it away) `pybabel compile` skips the file silently."""
    assert not catalogue.fuzzy
    assert catalogue.charset == "utf-8"
    assert not catalogue.obsolete


def test_translations_keep_the_placeholders(catalogue):
    for message in filter(lambda message: message.id and message.string, catalogue):
        for found in (re.compile(r"\{\w*\}"), re.compile(r"%[sd%]")):
            there, here = found.findall(message.id), found.findall(message.string)
            assert set(there) == set(here), message.id
            assert found.pattern.startswith(r"\{") or there == here, f"% in another order: {message.id}"


def test_translations_have_no_chinese_in_them(catalogue):
    for message in filter(lambda message: message.id and message.string, catalogue):
        words = NAMED.sub("", message.string)
        assert not CHARACTERS.search(words) and not PUNCTUATION.search(words), message.string


def test_home_and_login_are_english(english):
    assert english.h1 == "What would you like to do?"
    assert chinese_on(english) == []
    english.open("/login").submit("Log in", user="nobody")
    assert english.errors[0].startswith("Please enter the password")
    assert chinese_on(english) == []
    english.open("/nowhere")
    assert english.h1 == "This page was not found"
    assert chinese_on(english) == []


def test_registration_is_english_up_to_the_check_page(english):
    typed = [text for text in (*COMPANY.values(), *ADMINISTRATOR.values()) if isinstance(text, str)]
    english.open("/registration/")
    assert chinese_on(english) == []
    english.submit("Start")
    assert english.h1 == "Terms and registration type"
    assert chinese_on(english) == []
    english.submit("Save and go on", type="three-in-one", agreed="agreed")
    assert english.h1 == "Company details"
    assert chinese_on(english) == []
    english.submit("Save and go on", **COMPANY)
    assert chinese_on(english) == []
    english.submit("Save and go on")
    english.submit("Save and go on", **ADMINISTRATOR)
    english.submit("Save and go on", {"licence": ("scan.png", PNG)})
    assert english.h1 == "Check, then submit"
    assert chinese_on(english, *typed) == []
    assert "After you submit: “Registration review”, done within 2 working days." in english.main


def test_the_language_can_be_switched_back(english):
    english.open("/login")
    assert english.h1 == "User login" and english.soup.html["lang"] == "en"
    english.follow("中文")
    assert english.h1 == "用户登录" and english.soup.html["lang"] == "zh-CN"
    english.follow("English")
    assert english.h1 == "User login"
