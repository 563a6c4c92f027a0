"""Region files, texts and code tables are whole, speak one shape, and read as the house style asks."""

import csv
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTENT = ROOT / "content"
SOURCES = ROOT.parent / "shared" / "requirements" / "sources"
REGIONS = ["hebei", "liaoning", "zhejiang-hangzhou"]
KEYS = {
    "": "slug name english short theme operator data_centre regions tiles",
    "contact": "hotline hotline_label hours groups wechat report_address report_words",
    "header": "nav member_nav",
    "province": "code name cities",
    "home": "tiles member_tiles links survey promotions footer_promise",
    "registration": "review_days form_minutes account_types open_account_types entity_types enterprise_types fields",
    "password": "min max",
    "transmission": "promise_days nodes service_types exchange_types business_types data_types devices",
    "exports": "overseas_warehouse_record notice_9810 notice_9810_now",
    "reasons": "registration transmission-id name-recovery",
    "recovery": "wait_hours guard_hours",
}
WORDS_IN_BRACES = {"name", "short", "operator", "data_centre", "hotline"}
SPACE_FOR_LOOKS = re.compile(r"[\u4e00-\u9fff] +\d|\d +[\u4e00-\u9fff]")


def read_toml(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def region_file(slug):
    """The region's tables over the common ones, key by key."""
    merged = read_toml(ROOT / "regions" / "common.toml")
    for key, value in read_toml(ROOT / "regions" / f"{slug}.toml").items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def read_text(path):
    """Front matter lines and body of a Markdown file."""
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return dict(line.split(": ", 1) for line in head.splitlines()), body


def strings(value):
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for child in children for text in strings(child)]


SEEDS = read_toml(ROOT / "tests" / "seed_texts.toml")["text"]
TEXTS = sorted(path for path in CONTENT.glob("*/**/*.md"))


def without_quotations(text):
    own = "\n".join(line for line in text.splitlines() if not line.startswith(">"))
    for row in SEEDS:
        if re.search("[ !]", row["text"]):
            own = own.replace(row["text"], "")
    return own


@pytest.fixture(params=REGIONS)
def region(request):
    return region_file(request.param)


def test_a_region_has_every_key_that_pages_ask_for(region):
    for table, keys in KEYS.items():
        part = region[table] if table else region
        assert not set(keys.split()) - set(part), f"{region['slug']} lacks keys in [{table}]"


def test_every_region_file_is_offered_as_another_region(region):
    assert region["slug"] in {other["slug"] for other in region["regions"]}
    assert {path.stem for path in (ROOT / "regions").glob("*.toml")} == {*REGIONS, "common"}


def test_tiles_are_short_known_and_say_where_they_lead(region):
    for slug in region["home"]["tiles"] + region["home"]["member_tiles"]:
        tile = region["tiles"][slug]
        assert len(tile["name"]) <= 4
        assert len(tile["text"]) <= 5
        assert len(tile["mark"]) == 1
        assert tile["state"] in {"open", "soon"}
        assert tile["state"] == "soon" or tile["area"]


def test_a_link_leads_to_exactly_one_place_and_its_text_exists(region):
    links = region["header"]["nav"] + region["header"]["member_nav"] + region["home"]["links"]
    for link in links:
        assert len({"page", "content", "url"} & set(link)) == 1, link
        if "content" in link:
            assert any((CONTENT / folder / f"{link['content']}.md").exists() for folder in (region["slug"], "common"))


def test_codes_are_unique_in_every_list_of_a_region(region):
    cities = region["province"]["cities"]
    lists = {
        "cities": [city["code"] for city in cities],
        "districts": [code for city in cities for code, _ in city["districts"]],
        "account types": [kind["slug"] for kind in region["registration"]["account_types"]],
    }
    for table, names in (
        ("registration", ["entity_types", "enterprise_types"]),
        ("transmission", ["nodes", "service_types", "exchange_types", "business_types", "data_types", "devices"]),
    ):
        lists |= {name: [row["code"] for row in region[table][name]] for name in names}
    for name, codes in lists.items():
        assert codes, name
        assert len(codes) == len(set(codes)), name


def test_districts_belong_to_their_city_and_cities_to_the_province(region):
    province = region["province"]
    for city in province["cities"]:
        assert city["code"][:2] == province["code"][:2]
        assert city["districts"]
        assert all(code[:4] == city["code"][:4] for code, _ in city["districts"])


def test_a_second_level_node_takes_the_encryption_machine_and_a_third_level_node_a_card(region):
    known = {device["code"] for device in region["transmission"]["devices"]}
    for node in region["transmission"]["nodes"]:
        assert set(node["devices"]) <= known
        assert ("encryption-machine" in node["devices"]) == (node["level"] == 2)


def test_only_known_account_types_are_open(region):
    known = {kind["slug"] for kind in region["registration"]["account_types"]}
    assert set(region["registration"]["open_account_types"]) <= known


def test_fax_is_required_in_hebei_only():
    required = {slug: region_file(slug)["registration"]["fields"]["fax"]["required"] for slug in REGIONS}
    assert required == {"hebei": True, "liaoning": False, "zhejiang-hangzhou": False}


def test_hebei_has_four_entity_types_and_liaoning_fifteen():
    assert len(region_file("hebei")["registration"]["entity_types"]) == 4
    assert len(region_file("liaoning")["registration"]["entity_types"]) == 15


def test_a_reason_for_returning_is_a_sentence_that_tells_what_to_do(region):
    for reasons in region["reasons"].values():
        assert len(reasons) == len(set(reasons))
        for reason in reasons:
            assert reason.endswith("。")
            assert re.search("请|就|要", reason), reason


def test_no_space_is_typed_between_chinese_and_digits_in_region_files(region):
    for text in strings(region):
        assert not SPACE_FOR_LOOKS.search(without_quotations(text)), text


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(CONTENT)))
def test_a_text_has_title_date_and_publisher_and_reads_as_house_style_asks(path):
    head, body = read_text(path)
    assert head["title"]
    assert head["publisher"]
    assert date.fromisoformat(head["date"]).year == 2026
    assert body.strip()
    assert set(re.findall(r"{(.*?)}", head["publisher"] + body)) <= WORDS_IN_BRACES
    own = without_quotations(head["title"] + "\n" + body)
    assert not SPACE_FOR_LOOKS.search(own)
    assert "!" not in own
    assert "！" not in own
    if path.parent.name == "terms":
        assert date.fromisoformat(head["version"])
    if path.parent.name == "faq":
        assert head["group"]


@pytest.mark.parametrize("slug", REGIONS)
def test_each_region_has_announcements_guides_questions_and_terms(slug):
    def names(section):
        return {path.name for folder in (slug, "common") for path in (CONTENT / folder / section).glob("*.md")}

    assert len(names("announcements")) >= (6 if slug == "hebei" else 2)
    assert len(names("guides")) >= 15
    assert len(names("faq")) >= 9
    assert names("terms") == {"service-terms.md", "disclaimer.md", "privacy.md"}


def test_what_to_prepare_stands_word_for_word_before_registration():
    _, body = read_text(CONTENT / "common" / "before-you-start.md")
    for row in SEEDS:
        if row["item"] == "M1" and row["text"] != "使用前准备":
            assert row["text"] in body


def test_answers_of_the_manuals_stand_word_for_word_in_the_questions_of_their_region():
    questions = {"M140", "M141", "M142", "M143", "M171", "M172", "M199", "M200", "M201", "M202"}
    for row in SEEDS:
        if row["item"] in questions:
            files = [*(CONTENT / row["region"]).glob("faq/*.md"), *CONTENT.glob("common/faq/*.md")]
            assert any(row["text"] in path.read_text(encoding="utf-8") for path in files), row["text"]


def test_seed_texts_name_their_item_and_region_and_stand_once():
    seen = [(row["item"], row["text"], row["region"]) for row in SEEDS]
    assert len(seen) == len(set(seen))
    assert all(re.fullmatch(r"M\d+", row["item"]) and row["region"] in REGIONS for row in SEEDS)


def test_seed_texts_stand_in_the_source_documents_character_for_character():
    if not SOURCES.exists():
        pytest.skip("the source documents are not beside this checkout")
    sources = "\f".join(re.sub(r"[\r\n]+", "", path.read_text(encoding="utf-8")) for path in SOURCES.glob("*.txt"))
    missing = [row["text"] for row in SEEDS if not row.get("repaired") and row["text"] not in sources]
    assert not missing


@pytest.mark.parametrize("path", sorted((ROOT / "data").glob("*.csv")), ids=lambda path: path.name)
def test_a_code_table_is_utf8_without_mark_with_a_header_and_even_rows(path):
    raw = path.read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(raw.decode().splitlines())
    assert rows
    assert {len(row) for row in rows} == {len(header)}
    assert f"`{path.name}` | {len(rows)} |" in (ROOT / "data" / "README.md").read_text(encoding="utf-8")
