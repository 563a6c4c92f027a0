"""A browser that a journey test drives, with and without htmx; it checks every page that it sees."""

import io
import time
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup

ORIGIN = "http://127.0.0.1:8080"


class Browser:
    """Keeps the page that is shown. `kind`: "page" (links and forms alone) or "htmx"."""

    def __init__(self, app, kind: str = "page", check: bool = True):
        self.client = app.test_client()
        self.kind, self.check = kind, check
        self.url, self.status, self.response = "/", 0, None
        self.soup = BeautifulSoup("", "html.parser")

    # -- looking

    @property
    def h1(self) -> str:
        return self.soup.h1.get_text(strip=True) if self.soup.h1 else ""

    @property
    def text(self) -> str:
        return " ".join(self.soup.get_text(" ", strip=True).split())

    @property
    def main(self) -> str:
        node = self.soup.find(id="main")
        return " ".join(node.get_text(" ", strip=True).split()) if node else self.text

    @property
    def number(self) -> str:
        """The spoken page number in the foot."""
        return self.soup.find(id="page-number").b.get_text(strip=True)

    @property
    def errors(self) -> list[str]:
        """Lines of the error summary."""
        return [" ".join(a.get_text(" ", strip=True).split()) for a in self.soup.select(".govuk-error-summary__list a")]

    def value(self, name: str) -> str:
        field = self.soup.find(attrs={"name": name})
        if field.name == "select":
            chosen = field.find("option", selected=True)
            return chosen["value"] if chosen else ""
        return field.get_text() if field.name == "textarea" else field.get("value", "")

    # -- going

    def open(self, url: str, **headers):
        return self._request("GET", url, headers=headers)

    def follow(self, words: str):
        """Clicks the first link whose text contains `words`."""
        link = next((a for a in self.soup.find_all("a", href=True) if words in a.get_text()), None)
        assert link, f"no link 「{words}」 on {self.url}: {self.main[:300]}"
        headers = self._htmx() if link.has_attr("data-hx-get") else {}
        return self._request("GET", link["href"], headers=headers)

    def can_press(self, words: str) -> bool:
        return any(words in button.get_text() for button in self.soup.find_all("button"))

    def submit(self, words: str, _files=None, **typed):
        """Presses the button whose text contains `words`, after typing into its form; None leaves a field out."""
        button = next((b for b in self.soup.find_all("button") if words in b.get_text()), None)
        assert button, f"no button 「{words}」 on {self.url}: {self.main[:300]}"
        form = self.soup.find("form", id=button["form"]) if button.has_attr("form") else button.find_parent("form")
        data = form_data(form)
        if button.get("name"):
            data.append((button["name"], button.get("value", "")))
        return self.send(form, data, typed, _files or {})

    def send(self, form, data, typed: dict, files: dict):
        names = {name.replace("__", ":") for name in typed}
        data = [pair for pair in data if pair[0] not in names]
        for spelt, value in typed.items():
            name = spelt.replace("__", ":")
            data += [(name, option_value(form, name, one)) for one in _as_list(value)]
        action = form.get("action") or self.url
        if form.get("method", "get") == "get":
            query = "&".join(f"{name}={value}" for name, value in data)
            return self._request("GET", f"{action}?{query}")
        headers = self._htmx() if form.has_attr("data-hx-post") else {}
        fields: dict = {}
        for name, value in data:
            fields.setdefault(name, []).append(value)
        for name, (file_name, content) in files.items():
            fields[name] = [*fields.get(name, []), (io.BytesIO(content), file_name)]
        return self._request("POST", action, data=fields, headers=headers, content_type="multipart/form-data")

    # -- below

    def _htmx(self) -> dict:
        return {"HX-Request": "true", "HX-Target": "main"} if self.kind == "htmx" else {}

    def _request(self, method: str, url: str, **options):
        url = urlsplit(urljoin(self.url, url))._replace(scheme="", netloc="").geturl()
        for _ in range(8):
            response = self.client.open(url, method=method, base_url=ORIGIN, **options)
            response.request.environ["wsgi.input"].close()  # a body over 500 kB is a temporary file
            if response.status_code not in (301, 302, 303):
                break
            target = urlsplit(response.headers["Location"])
            assert not target.netloc or f"{target.scheme}://{target.netloc}" == ORIGIN, (
                f"leads out of the house: {target.geturl()}"
            )
            url = target._replace(scheme="", netloc="").geturl()
            method, options = "GET", {"headers": options.get("headers") or {}}
        self.url, self.status, self.response = url.partition("#")[0], response.status_code, response
        if response.mimetype == "text/html":
            self._show(response.get_data(as_text=True))
        return self

    def _show(self, html: str) -> None:
        if html.lstrip().startswith("<!doctype"):
            self.soup = BeautifulSoup(html, "html.parser")
        elif self.soup.find(id="main"):
            self._swap(html)
        if self.check and self.soup.find(id="page-number"):
            check_page(self.soup, self.url)

    def _swap(self, html: str) -> None:
        part = BeautifulSoup(html, "html.parser")
        for node in part.select("[data-hx-swap-oob]"):
            old = self.soup.find(id=node["id"])
            del node["data-hx-swap-oob"]
            if old:
                old.replace_with(node.extract())
            else:
                node.extract()
        if part.title:
            self.soup.title.replace_with(part.title.extract())
        main = self.soup.find(id="main")
        main.clear()
        main.append(part)


class HttpBrowser(Browser):
    """The same over real HTTP, portal and card bridge alike; cookies per host, as browsers keep them."""

    def __init__(self, kind: str = "page"):
        self.kind, self.check = kind, True
        self.url, self.status, self.response = "", 0, None
        self.soup = BeautifulSoup("", "html.parser")
        self.http = requests.Session()
        self.http.trust_env = False
        self.pages, self.typed = 0, 0

    def submit(self, words: str, _files=None, **typed):
        self.typed += sum(len(_as_list(value)) for value in typed.values())
        return super().submit(words, _files, **typed)

    def wait_for(self, words: str, seconds: float = 30):
        """Loads the page again and again until it says so, as its own refresh would."""
        end = time.monotonic() + seconds
        while words.replace(" ", "") not in self.main.replace(" ", ""):
            assert time.monotonic() < end, f"{self.url} never said 「{words}」: {self.main[:600]}"
            time.sleep(0.3)
            self.open(self.url)
            self.pages -= 1
        return self

    def _request(self, method: str, url: str, **options):
        url, headers = urljoin(self.url, url), dict(options.get("headers") or {})
        data, files = split_body(options.get("data") or {})
        for _ in range(10):
            sent = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", **headers}
            if method == "POST":
                sent |= {"Origin": "{0.scheme}://{0.netloc}".format(urlsplit(url)), "Sec-Fetch-Site": "same-origin"}
            answer = self.http.request(
                method, url.partition("#")[0], data=data, files=files, headers=sent, allow_redirects=False, timeout=60
            )
            if answer.status_code not in (301, 302, 303):
                break
            url, method, data, files = urljoin(url, answer.headers["Location"]), "GET", None, None
        self.url, self.status, self.response = url.partition("#")[0], answer.status_code, answer
        self.pages += 1
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            self._show(answer.text)
        return self


def split_body(data: dict):
    """(fields, files) of a form; a form without files is sent as multipart all the same, as ours are."""
    fields = [(name, value) for name, values in data.items() for value in values if isinstance(value, str)]
    files = [
        (name, (value[1], value[0])) for name, values in data.items() for value in values if isinstance(value, tuple)
    ]
    return fields, files or None


def option_value(form, name: str, wanted: str) -> str:
    """Of a select: the value of the option that is called so; anything else is typed as it is."""
    select = form.find("select", attrs={"name": name})
    options = select.find_all("option") if select else []
    if any(option.get("value") == wanted for option in options):
        return wanted
    return next((option.get("value", option.get_text()) for option in options if wanted in option.get_text()), wanted)


def form_data(form) -> list[tuple[str, str]]:
    """What a browser would send of the form as it stands."""
    data = []
    for field in form.find_all(["input", "select", "textarea"]):
        name, kind = field.get("name"), field.get("type", "text")
        if not name or kind in ("file", "submit") or field.has_attr("disabled"):
            continue
        if field.name == "select":
            options = field.find_all("option")
            chosen = next((o for o in options if o.has_attr("selected")), options[0] if options else None)
            data.append((name, chosen.get("value", chosen.get_text()) if chosen else ""))
        elif field.name == "textarea":
            data.append((name, field.get_text().removeprefix("\n")))
        elif kind not in ("checkbox", "radio"):
            data.append((name, field.get("value", "")))
        elif field.has_attr("checked"):
            data.append((name, field.get("value", "on")))
    return data


def check_page(soup, url: str) -> None:
    """What every page must keep (STYLE, Tests)."""
    assert soup.title and soup.title.get_text(strip=True).strip(" -"), f"{url}: no title"
    assert len(soup.find_all("h1")) == 1, f"{url}: {len(soup.find_all('h1'))} h1"
    ids = [node["id"] for node in soup.find_all(id=True)]
    twice = {each for each in ids if ids.count(each) > 1}
    assert not twice, f"{url}: ids twice: {twice}"
    for form in soup.find_all("form"):
        assert form.get("action"), f"{url}: a form without action"
        assert form.get("method") in ("get", "post"), f"{url}: a form without method"
        if form["method"] == "post":
            assert form.find("input", attrs={"name": "csrf_token"}), f"{url}: {form['action']} without CSRF token"
    plain = {form["action"] for form in soup.find_all("form")} | {a["href"] for a in soup.find_all("a", href=True)}
    for attribute in ("data-hx-post", "data-hx-get"):
        for node in soup.find_all(attrs={attribute: True}):
            assert node[attribute] in plain, f"{url}: {attribute} {node[attribute]} has no plain twin"


def _as_list(value) -> list:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
