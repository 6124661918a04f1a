"""The words of a report: its head, signature and sections, from a file that an office may replace by its own."""

from __future__ import annotations

import difflib
import string
import tomllib
from collections.abc import Collection, Iterator
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.indicators import CATALOGUE
from schemas.text import files
from services.readings.findings import CODES

View = Literal["", "before", "change", "year"]
"""Which value of a figure a sentence asks for: of the period, of the one before, the difference, the year so far."""
OWN = ("unit", "period", "as_of")
"""Places in a text that are no figures."""


T = TypeVar("T", bound="Strict")


class WrongTexts(ValueError):
    """The file of texts says something that no report can be made of; the message names the place."""


class Place(NamedTuple):
    """A place in a sentence where a figure stands."""

    code: str
    view: View


class Strict(BaseModel):
    """Says nothing that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadTexts(Strict):
    """What is printed above; empty lines follow the unit."""

    superior: str = ""
    issuer: str = ""
    symbol: str = ""
    place: str = ""
    title: str = "BÁO CÁO"
    subject: str


class SignatureTexts(Strict):
    """Who signs, and to whom it goes."""

    office: tuple[str, ...] = ()
    name: str = ""
    recipients: tuple[str, ...] = ()


class SectionTexts(Strict):
    """A section: sentences, then tables by their names; with `charts` a picture stands below the table of a system.
    `closes`: the day of the month on which its month ends."""

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    charts: bool = False
    closes: int | None = Field(None, ge=1, le=28)
    annex: bool = False


class FormTexts(Strict):
    """Another form than the month's report, under the same head and signature; `name`: what it is listed as."""

    name: str = ""
    title: str = "BÁO CÁO"
    subject: str
    sections: tuple[SectionTexts, ...]


class Texts(Strict):
    """A file of texts. `figures`: code -> name of those that the tables and charts of the systems tell, and `findings`:
    the codes of those that are told; an issue keeps what there was of both, so that a later catalogue adds nothing.
    `form`: of which of the forms the sections are, "" of the whole report."""

    head: HeadTexts
    signature: SignatureTexts
    sections: tuple[SectionTexts, ...]
    forms: dict[str, FormTexts] = Field(default_factory=dict)
    figures: dict[str, str] = Field(default_factory=lambda: {code: figure.vi for code, figure in CATALOGUE.items()})
    findings: tuple[str, ...] = CODES
    form: str = ""

    @property
    def form_names(self) -> dict[str, str]:
        """Code of each other form -> what it is listed as."""
        return {code: form.name or code for code, form in self.forms.items()}

    def of(self, form: str) -> Texts:
        """The words of another form ("": of the whole report); `WrongTexts` where there is none of that name."""
        if not form:
            return self
        if form not in self.forms:
            raise WrongTexts(f"there is no form {form!r}; there are: {', '.join(self.forms)}")
        chosen = self.forms[form]
        head = self.head.model_copy(update={"title": chosen.title, "subject": chosen.subject})
        return self.model_copy(update={"head": head, "sections": chosen.sections, "form": form})


def read(file: Path | None, tables: Collection[str]) -> Texts:
    """The texts of a file, by default the house's own, which lends the forms that a file lacks; `WrongTexts` names what
    no report knows."""
    name, texts = parsed(file, "report.toml", Texts)
    house = parsed(None, "report.toml", Texts)[1] if file else texts
    texts = texts.model_copy(update={"forms": {**house.forms, **texts.forms}})
    for section in (*texts.sections, *(section for form in texts.forms.values() for section in form.sections)):
        _check(name, section, tables)
    check_figures(name, "head.subject", texts.head.subject)
    for code, form in texts.forms.items():
        check_figures(name, f"forms.{code}.subject", form.subject)
    for code in texts.figures:
        check_figures(name, "figures", f"{{{code}}}")
    if strange := set(texts.findings) - set(CODES):
        raise WrongTexts(f"{name}, findings: there are none called {min(strange)!r}; there are: {', '.join(CODES)}")
    return texts


def parsed(file: Path | None, own: str, form: type[T]) -> tuple[str, T]:
    """What a file of texts is called and says, by default the house's `own`; `WrongTexts` names what its form lacks."""
    name = str(file) if file else own
    text = files.read(file) if file else resources.files(__package__).joinpath(own).read_text("utf-8")
    try:
        return name, form.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise WrongTexts(f"{name} is no TOML: {wrong}") from None
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise WrongTexts(f"{name}, {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _check(name: str, section: SectionTexts, tables: Collection[str]) -> None:
    for table in section.tables:
        if table not in tables:
            raise WrongTexts(f"{name}, «{section.title}»: there is no table {table!r}; there are: {', '.join(tables)}")
    for sentence in section.text:
        check_figures(name, f"«{section.title}»", sentence)


def check_figures(name: str, where: str, sentence: str, own: Collection[str] = OWN, views: bool = True) -> None:
    """`WrongTexts` where a sentence asks for a figure that there is not, or for a view of one (where they have `views`)
    that is none. `own`: places that are no figures."""
    known = get_args(View) if views else ("",)
    try:
        found = [place for place in places(sentence) if place.code not in own or place.view]
    except ValueError as wrong:
        raise WrongTexts(f"{name}, {where}: {sentence!r}: {wrong}") from None
    for code, view in found:
        if code in own:
            raise WrongTexts(f"{name}, {where}: {{{code}:{view}}}: {code} is no figure, nothing stands behind a colon")
        if code not in CATALOGUE:
            near = difflib.get_close_matches(code, CATALOGUE, n=3, cutoff=0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else " (`ioc indicators` lists all)"
            raise WrongTexts(f"{name}, {where}: no indicator {code!r}{hint}")
        if view not in known:
            views_named = ", ".join(filter(None, known)) or "none here"
            raise WrongTexts(f"{name}, {where}: {{{code}:{view}}} asks for {view!r}; known: {views_named}")


def places(sentence: str) -> Iterator[Place]:
    """The places of a sentence, in their order."""
    for _, code, view, conversion in string.Formatter().parse(sentence):
        if conversion:
            raise ValueError(f"{{{code}!{conversion}}}: nothing stands behind a mark of exclamation")
        if code is not None:
            yield Place(code, view or "")  # type: ignore[arg-type]


def filled(sentence: str, words: dict[Place, str]) -> str:
    """The sentence with its places filled."""
    parts = string.Formatter().parse(sentence)
    return "".join(
        text + ("" if code is None else words[Place(code, view or "")])  # type: ignore[arg-type]
        for text, code, view, _ in parts
    )
