"""What is answered to a program that asks wrongly: problem+json (RFC 9457) with what, where and what to do."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

TITLES = {
    400: "The request cannot be read",
    401: "Who asks is not known",
    403: "Not allowed",
    404: "There is no such thing",
    405: "Nothing is changed here",
    413: "Too large",
    422: "The question is wrong",
    429: "Too many questions",
    503: "Not now",
}


class ProblemDetails(BaseModel):
    """RFC 9457, with `where` (the parameter or header that is wrong) and `advice` (what to do)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": TITLES[404],
                "status": 404,
                "detail": "no indicator 'dossiers_recieved'; did you mean dossiers_received?",
                "instance": "/api/figures/dossiers_recieved",
                "where": "indicator",
                "advice": "/api/indicators lists all",
            }
        }
    )
    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str = Field(description="what is wrong")
    instance: str = Field(description="the path that was asked")
    where: str = Field("", description="the parameter or header that it is about")
    advice: str = Field("", description="what to do")


class Problem(Exception):
    """A question that is not answered. `retry`: seconds until it may be; `allow`: the method of one that would be."""

    def __init__(
        self, status: int, detail: str, where: str = "", advice: str = "", retry: float = 0, allow: str = "GET"
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.where, self.advice = status, detail, where, advice
        self.retry, self.allow = retry, allow

    def answer(self, path: str) -> Response:
        """The response to who asked at `path`."""
        title = TITLES.get(self.status, "It does not work")
        problem = ProblemDetails(
            title=title, status=self.status, detail=self.detail, instance=path, where=self.where, advice=self.advice
        )
        headers = {"cache-control": "no-store"}
        if self.status == 401:
            headers["www-authenticate"] = 'Bearer realm="ioc"'
        if self.status == 405:
            headers["allow"] = self.allow
        if self.retry:
            headers["retry-after"] = str(max(1, round(self.retry + 0.5)))
        return Response(problem.model_dump_json(), self.status, headers, "application/problem+json")


def unanswered() -> Problem:
    """The database is away."""
    return Problem(503, "the database does not answer", advice="ask again in some seconds", retry=3)
