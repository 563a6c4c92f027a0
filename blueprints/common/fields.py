"""Fields and forms: what was typed goes in; values, shown texts and numbered problems come out.

A value is text or a list of texts, normalised: a snapshot of it reads the same under every later form.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import (
    GovCheckboxesInput,
    GovRadioInput,
    GovSelect,
    GovTextArea,
    GovTextInput,
)
from wtforms import Form, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation, ValidationError

from .files import look_up_upload
from .numbers import Sentence


def always(case) -> bool:
    return True


@dataclass(frozen=True)
class Problem:
    """Why something at `path` (step/field or step/item/field) cannot stay as it is."""

    path: str
    number: str
    sentence: str


def stop(number: str, template: str, **parts) -> StopValidation:
    return StopValidation(Sentence(number, template, **parts))


class Rule:
    """A validator: `holds(value)`, or the page says `sentence`."""

    def __init__(self, number: str, sentence: str, holds):
        self.sentence, self.holds = Sentence(number, sentence), holds

    def __call__(self, form, field):
        if not all(self.holds(value) for value in as_list(field.value)):
            raise StopValidation(self.sentence)  # one error a field


class CaseRule(Rule):
    """A rule that looks at the case too: `holds(value, case)`, with `case.here` the fields above on this page."""

    def __call__(self, form, field):
        if not self.holds(field.value, form.case.at(dict(form.values))):
            raise StopValidation(self.sentence)  # one error a field


@dataclass(frozen=True)
class Advice:
    """A soft rule: where `applies(value, case)`, the page, the check page and the officials see `sentence`.

    `parts(value)`: what the sentence names of the value.
    """

    number: str
    sentence: str
    applies: Callable
    parts: Callable = lambda value: {}


class Answer:
    """What every field has: a spoken number, and from the case whether it is asked (`when`) and `required`.

    `required` may be a function of the case too. `case.here`: the fields above on this page, empty if not asked.
    `group`, `span`, `hint` and `attributes` are for the page only.
    """

    stored = True
    missing = "请填写「{label}」"

    def __init__(self, label, *rules, number, required=True, when=always, personal=False, key=None, group="", span=False,
                 hint="", missing=None, attributes=None, advice=(), **options):  # fmt: skip
        super().__init__(label, rules, description=hint, render_kw=attributes or {}, **options)
        self.number, self.required, self.when, self.personal = number, required, when, personal
        self.key, self.group, self.span, self.needed = key, group, span, False
        self.missing, self.advice = missing or self.missing, advice

    @property
    def value(self):
        return (self.data or "").strip()

    @property
    def shown(self) -> str:
        return self.value

    @property
    def short_number(self) -> str:
        """The two digits after the page number: 「第 07 项」."""
        return self.number[-2:]

    def prepare(self, case):
        """Region files hide, require, relabel or regroup fields by number, or by `key` where several kinds share a rule."""
        rule = case.region.field(self.number, self.key)
        self.label.text = rule.get("label", self.label.text)
        self.required, self.group = rule.get("required", self.required), rule.get("group", self.group)
        if rule.get("hide"):
            self.when = lambda case: False
        self.needed = self.required if isinstance(self.required, bool) else False

    def pre_validate(self, form):
        if not self.value:
            if self.needed:
                raise stop("90001", self.missing, label=self.label.text)
            raise StopValidation()


def in_words(widget):
    """The widget with the word before an error in the page's language; its own is always English."""
    draw = widget.map_gov_params

    def map_gov_params(field, **options):
        params = draw(field, **options)
        if "errorMessage" in params:
            params["errorMessage"]["visuallyHiddenText"] = gettext("错误")
        return params

    widget.map_gov_params = map_gov_params
    return widget


class Text(Answer, StringField):
    """One line of text; `long=True` gives a text area, `limit` the greatest number of characters.

    `code=True`: letters and digits only matter, so width, case and spaces (or the characters of `code`) do not.
    """

    def __init__(self, label, *rules, limit=200, long=False, code=False, **rest):
        super().__init__(label, *rules, widget=in_words(GovTextArea() if long else GovTextInput()), **rest)
        self.limit, self.code = limit, code

    @property
    def value(self):
        return plain_code(super().value, self.code) if self.code else super().value

    def pre_validate(self, form):
        super().pre_validate(form)
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\r\n\t" for letter in self.value):
            raise stop("90014", "「{label}」里有看不见的控制字符，请删掉重新输入", label=self.label.text)
        if len(self.value) > self.limit:
            raise stop("90011", "「{label}」最多{limit}个字", label=self.label.text, limit=self.limit)


class Choice(Answer, SelectField):
    """One of `options`: [(key, label)], or a function of the case that gives them."""

    widget = in_words(GovSelect())
    missing = "请选择「{label}」"

    def __init__(self, label, *rules, options, **rest):
        super().__init__(label, *rules, **rest)
        self.options = options

    def prepare(self, case):
        super().prepare(case)
        self.options = self.options(case) if callable(self.options) else self.options
        blank = [SelectChoice("", gettext("请选择"))] if self.offers_blank else []
        self.choices = blank + [SelectChoice(key, gettext(label)) for key, label, *_ in self.options]

    @property
    def offers_blank(self) -> bool:
        return True

    @property
    def shown(self):
        labels = {key: label for key, label, *_ in self.options}
        return "、".join(labels.get(key, key) for key in as_list(self.value))

    def pre_validate(self, form):
        super().pre_validate(form)
        if not set(as_list(self.value)) <= {option[0] for option in self.options}:
            raise stop("90002", "「{label}」请重新选择：原来的选项已不可用", label=self.label.text)


class Radio(Choice, RadioField):
    """One of few options, all in sight."""

    widget = in_words(GovRadioInput())
    offers_blank = False


class Choices(Choice, SelectMultipleField):
    """Any of `options`."""

    widget = in_words(GovCheckboxesInput())
    offers_blank = False

    @property
    def value(self):
        return self.data or []


class Slot(Choice):
    """A time of which there are only so many: options are (key, label, seats); submission claims a seat."""

    def __init__(self, label, *rules, scope, **rest):
        super().__init__(label, *rules, **rest)
        self.scope = scope

    @property
    def seats(self) -> int:
        return next(seats for key, _, seats in self.options if key == self.value)


class Upload(Answer, StringField):
    """Files that are in the file store already; their ids are the answer, their names are shown. `limit` in bytes each.

    `pages`: how many files it takes; the value is one id where it takes one, else a list.
    """

    missing = "请添加「{label}」"

    def __init__(self, label, *rules, types, limit, pages=1, **rest):
        super().__init__(label, *rules, **rest)
        self.types, self.limit, self.pages = types, limit, pages

    def process_formdata(self, valuelist):
        self.data = valuelist if self.pages > 1 else valuelist[0] if valuelist else self.data

    @property
    def value(self):
        return [one for one in as_list(self.data) if one] if self.pages > 1 else super().value

    @property
    def files(self) -> list:
        """The stored files; one look per request and file."""
        return [file for one in as_list(self.value) if (file := look_up_upload(one))]

    @property
    def shown(self):
        return "、".join(file.name for file in self.files)

    def pre_validate(self, form):
        super().pre_validate(form)
        for one in as_list(self.value):
            check_upload(self, look_up_upload(one))
        if len(as_list(self.value)) > self.pages:
            raise stop("90013", "「{label}」最多{pages}个文件，请删掉多余的", label=self.label.text, pages=self.pages)


def check_upload(field, file) -> None:
    """Raises `StopValidation` for a file of a type or size that the field does not take."""
    if file is None or file.kind not in field.types:
        names = "、".join(field.types)
        raise stop("90003", "「{label}」只收{types}格式的文件，请换一个", label=field.label.text, types=names)
    if file.size > field.limit:
        size = field.limit // 2**20
        raise stop("90004", "「{label}」单个文件不能超过{size}M，请压缩后再传", label=field.label.text, size=size)


class Locked(Answer, StringField):
    """A fact (`name/part`), or what `text(case)` says; shown but never posted."""

    stored = False

    def __init__(self, label, *, fact="", text=None, **rest):
        super().__init__(label, **rest)
        self.text = text or (lambda case: case.known(fact))

    def prepare(self, case):
        super().prepare(case)
        self.data = self.text(case)


class Secret(Answer, StringField):
    """Never stored. `keep(text)` gives what may be kept instead (a hash, a receipt) or raises `ValidationError`.

    What is kept counts only while the field `of` has the value it was given for. Without `keep`
    it is compared to the field `same_as`, in the POST that brings it, and forgotten.
    """

    stored = False
    widget = in_words(GovTextInput())

    def __init__(self, label, *rules, keep=None, of=None, same_as=None, **rest):
        super().__init__(label, *rules, **rest)
        self.keep, self.of, self.same_as = keep, of, same_as

    def _value(self) -> str:
        """Never written back into a page."""
        return ""

    def pre_validate(self, form):
        if self.same_as:
            if self.value != form[self.same_as].value:
                raise stop("90005", "「{label}」两次输入不一致，请都重新输入", label=self.label.text)
        elif self.value or not form.has_kept(self):
            super().pre_validate(form)
        else:
            raise StopValidation()


class Posted(dict):
    """Typed text by field name, as WTForms wants it."""

    def getlist(self, name: str) -> list[str]:
        return as_list(self.get(name, []))


class DocumentForm(Form):
    """One page: of a step, of a list item, or of what an official supplies."""

    def __init__(self, case, place: str, typed=None, kept=None, suggested=None):
        posted = None if typed is None else Posted(typed)
        super().__init__(posted, data=suggested if posted is None else None)
        self.case, self.place, self.kept, self.values = case, place, kept or {}, {}
        for field in self:
            field.prepare(case)

    def check(self) -> list[Problem]:
        """The problems, in order. Afterwards `values` holds what was asked; nothing else is seen by anyone."""
        self.values, problems, here = {}, [], {}
        for field in self:
            case, field.errors = self.case.at(here), []
            here = here | {field.name: type(field.value)()}
            if field.when(case):
                here[field.name] = field.value
                field.needed = field.required(case) if callable(field.required) else field.required
                field.validate(self)
                problems += [Problem(self.path(field), error.number, error) for error in field.errors]
                if not isinstance(field, Secret):
                    self.values[field.name] = field.value
        return problems

    def advice(self) -> list[Problem]:
        """After `check`: the soft rules that apply to what was rightly typed."""
        case = self.case.at({field.name: field.value for field in self if field.name in self.values})
        asked = [field for field in self if field.name in self.values and field.value and not field.errors]
        return [
            Problem(self.path(field), each.number, Sentence(each.number, each.sentence, **each.parts(field.value)))
            for field in asked
            for each in field.advice
            if each.applies(field.value, case)
        ]

    def path(self, field) -> str:
        return f"{self.place}/{field.name}"

    @property
    def typed(self) -> dict[str, list[str]]:
        """What may be stored of what was typed, wrong or not."""
        return {field.name: field.raw_data for field in self if field.stored and field.raw_data}

    @property
    def groups(self) -> list[tuple[str, list]]:
        """Fields as the page shows them: neighbours of one group together; region-hidden ones left out."""
        groups: list[tuple[str, list]] = []
        for field in self:
            if not groups or groups[-1][0] != field.group:
                groups.append((field.group, []))
            groups[-1][1].append(field)
        return groups

    def keep_secrets(self) -> list[Problem]:
        """After `check` of a POST: of the secrets just typed keep what may be kept, if all on the page are right."""
        secrets = [field for field in self if isinstance(field, Secret)]
        typed = [field for field in secrets if field.keep and field.value]
        self.kept = {name: kept for name, kept in self.kept.items() if name not in {field.name for field in typed}}
        if any(field.errors for field in secrets):
            return []
        problems = []
        for field in typed:
            try:
                self.kept[field.name] = [self._bond(field), field.keep(field.value)]
            except ValidationError as error:
                field.errors = [error.args[0]]
                problems.append(Problem(self.path(field), error.args[0].number, error.args[0]))
        return problems

    def has_kept(self, field) -> bool:
        return field.name in self.kept and self.kept[field.name][0] == self._bond(field)

    def _bond(self, field):
        return self[field.of].value if field.of else None


def plain_code(text: str, code: bool | str) -> str:
    """As it is printed on papers: half width, no spaces, capital letters; without the characters of `code`."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    return plain.translate(dict.fromkeys(map(ord, code))) if isinstance(code, str) else plain


def as_list(value) -> list:
    return value if isinstance(value, list) else [value] if value else []
